import { Redis } from 'ioredis';
import pg from 'pg';
import { eventually } from '../../support/eventually.js';
import { PostgresServer } from '../../support/postgres-server.js';
import { RedisServer, type RedisServerOptions } from '../../support/redis-server.js';
import { marksIn, type Mark } from './marks.js';
import { Member } from './member.js';

export interface FaultClusterOptions {
  /** Environment variables of every instance. */
  readonly env?: Environment;
  /** Environment variables of the third instance alone. */
  readonly envOfThird?: Environment;
  readonly redis?: RedisServerOptions;
}

type Environment = Readonly<Record<string, string>>;

const DATABASE = 'faults';
/** Limits so long that a busy machine does not look like an outage of Redis. */
const ENVIRONMENT = { REDIS_TIMEOUT_MS: '5000' };

/** Three built instances on separate servers of PostgreSQL and Redis, with proxies in between. */
export class FaultCluster {
  #marker = 0;
  #registers = 0;

  private constructor(
    readonly postgres: PostgresServer,
    readonly redis: RedisServer,
    readonly members: readonly [Member, Member, Member],
    /** Past the proxies; a query fails while the server is away. */
    private readonly database: pg.Pool,
  ) {}

  static async start({ env = {}, envOfThird = {}, redis: redisOptions }: FaultClusterOptions = {}) {
    const [postgres, redis] = await Promise.all([
      PostgresServer.start({
        // The server does not notice that a client has gone: the harder case.
        config: { log_statement: 'all', client_connection_check_interval: '0' },
      }),
      RedisServer.start(redisOptions),
    ]);
    const connectionString = await postgres.createDatabase(DATABASE);
    const servers = { postgresPort: postgres.port, redisPort: redis.port, database: DATABASE };
    const whole = { ...ENVIRONMENT, ...env };
    const members = await Promise.all([
      Member.start('first', servers, whole),
      Member.start('second', servers, whole),
      Member.start('third', servers, { ...whole, ...envOfThird }),
    ]);
    const database = new pg.Pool({ connectionString, connectionTimeoutMillis: 2_000 });
    database.on('error', () => undefined);
    return new FaultCluster(postgres, redis, members, database);
  }

  get running(): Member[] {
    return this.members.filter(({ isRunning }) => isRunning);
  }

  /** A number that no register of the cluster has had. */
  nextRegister(): number {
    this.#registers += 1;
    return this.#registers;
  }

  /** Runs SQL past all instances. */
  async sql<Row extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<Row[]> {
    return (await this.database.query<Row>(text, values)).rows;
  }

  /**
   * Runs SQL past the service, over a separate connection: all of it in one transaction. Returns
   * the rows of the last statement.
   */
  psql<Row extends pg.QueryResultRow>(text: string): Promise<Row[]> {
    return this.postgres.psql<Row>(text, DATABASE);
  }

  /** Calls `work` with one connection to the database, past all instances. */
  async session<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await this.database.connect();
    try {
      return await work(client);
    } finally {
      client.release(true);
    }
  }

  /** Ends the sessions of the service that meet the condition; returns their number, once they are gone. */
  async terminate(condition = 'true'): Promise<number> {
    const rows = await this.sql<{ pid: number }>(
      `SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'tidemark' AND ${condition}`,
    );
    await eventually(async () => {
      const text = 'SELECT pid FROM pg_stat_activity WHERE pid = ANY ($1)';
      const left = await this.sql(text, [rows.map(({ pid }) => pid)]);
      if (left.length > 0) throw new Error('Sessions are still ending');
    });
    return rows.length;
  }

  /** The marks that lie in Redis, of all tables. */
  marks(): Promise<Mark[]> {
    return this.#askRedis(marksIn);
  }

  /** The keys in Redis that match. */
  keys(pattern: string): Promise<string[]> {
    return this.#askRedis(async (client) => {
      const found: string[] = [];
      for await (const keys of client.scanStream({ match: pattern, count: 1_000 })) {
        found.push(...(keys as string[]));
      }
      return found;
    });
  }

  /** The statements about users that the instances have sent while `work` ran. */
  async statementsDuring(work: () => Promise<unknown>): Promise<string[]> {
    const from = await this.#markLog();
    await work();
    const to = await this.#markLog();
    const { log } = this.postgres;
    return log
      .slice(log.indexOf(from), log.indexOf(to))
      .split('\n')
      .filter((line) => line.includes('"users"'));
  }

  /** Undoes every fault that was made, however the test ended. */
  async mend(): Promise<void> {
    this.postgres.resume();
    this.redis.resume();
    if (!this.redis.isRunning) await this.redis.restart({ empty: true });
    const isAway = await this.sql('SELECT 1').then(
      () => false,
      () => true,
    );
    if (isAway) await this.postgres.restart();
    await Promise.all(this.members.map((member) => member.mend()));
  }

  async stop(): Promise<void> {
    await Promise.all(this.members.map((member) => member.stop()));
    await this.database.end();
    await Promise.all([this.postgres.stop(), this.redis.stop()]);
  }

  async #askRedis<T>(question: (client: Redis) => Promise<T>): Promise<T> {
    // A separate client: Redis may have been another server until just now.
    const client = new Redis(this.redis.port, '127.0.0.1', { lazyConnect: true });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return await question(client);
    } finally {
      client.disconnect();
    }
  }

  /** Writes a word into the log of PostgreSQL and waits until it is there. */
  async #markLog(): Promise<string> {
    this.#marker += 1;
    const word = `log-mark-${this.#marker}-`;
    await this.sql(`SELECT '${word}'`);
    await eventually(() => {
      if (!this.postgres.log.includes(word)) throw new Error('The log of PostgreSQL is late');
    });
    return word;
  }
}
