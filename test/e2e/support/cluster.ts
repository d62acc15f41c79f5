import pg from 'pg';
import { PostgresServer } from '../../support/postgres-server.js';
import { RedisServer } from '../../support/redis-server.js';
import { Instance } from './instance.js';

export interface TestUser {
  readonly id: number;
  readonly username: string;
  readonly region: string;
  readonly email: string;
}

/** Three built instances on a separate Redis and a separate PostgreSQL server. */
export class Cluster {
  #users = 0;

  private constructor(
    readonly postgres: PostgresServer,
    readonly redis: RedisServer,
    private readonly env: Readonly<Record<string, string>>,
    readonly instances: readonly [Instance, Instance, Instance],
  ) {}

  /** `env` is added to the environment of every instance. */
  static async start(env: Readonly<Record<string, string>> = {}): Promise<Cluster> {
    const [postgres, redis] = await Promise.all([
      PostgresServer.start({ config: { log_statement: 'all' } }),
      RedisServer.start(),
    ]);
    const whole = { DATABASE_URL: await postgres.createDatabase(), REDIS_URL: redis.url, ...env };
    // All at once: the migrations must support that.
    const instances = await Promise.all([
      Instance.start(whole),
      Instance.start(whole),
      Instance.start(whole),
    ]);
    return new Cluster(postgres, redis, whole, instances);
  }

  async stop(): Promise<void> {
    this.redis.resume();
    await Promise.all(this.instances.map(({ process }) => process.stop()));
    await Promise.all([this.postgres.stop(), this.redis.stop()]);
  }

  /** Creates a user with a name and a region that no other user of the run has. */
  async createUser(): Promise<TestUser> {
    this.#users += 1;
    const answer = await this.instances[0].post('/users', {
      username: `user-${this.#users}`,
      region: `R${this.#users}`,
      email: 'user@example.com',
    });
    if (answer.status !== 201) throw new Error(`Not created: ${answer.body.toString()}`);
    return answer.json as TestUser;
  }

  /** Runs SQL past every instance. */
  sql<Row extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<Row[]> {
    return this.session(async (client) => (await client.query<Row>(text, values)).rows);
  }

  /** Reads the database past every instance. */
  storedUser(id: number): Promise<TestUser | undefined> {
    return this.session(async (client) => {
      const text = 'SELECT id, username, region, email FROM users WHERE id = $1';
      const { rows } = await client.query<TestUser>(text, [id]);
      return rows[0];
    });
  }

  /** Every statement about users waits until the work is done; `waiting` counts them. */
  whileUsersAreLocked<T>(work: (waiting: () => Promise<number>) => Promise<T>): Promise<T> {
    return this.session(async (client) => {
      await client.query('BEGIN');
      await client.query('LOCK TABLE users IN ACCESS EXCLUSIVE MODE');
      return work(async () => {
        const text = 'SELECT count(*)::int AS waiting FROM pg_locks WHERE NOT granted';
        const { rows } = await client.query<{ waiting: number }>(text);
        return rows[0]?.waiting ?? 0;
      });
    });
  }

  /** The number of open transactions in the database. */
  async openTransactions(): Promise<number> {
    const [row] = await this.postgres.psql<{ open: number }>(
      `SELECT count(*)::int AS open FROM pg_stat_activity
       WHERE backend_type = 'client backend' AND state <> 'idle' AND pid <> pg_backend_pid()`,
    );
    return row?.open ?? 0;
  }

  /** Calls `work` with a connection to the database, past all instances. */
  async session<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = new pg.Client({ connectionString: this.env['DATABASE_URL'] });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }
}
