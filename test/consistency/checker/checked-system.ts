/** What is checked: built instances on one Redis and one PostgreSQL, all servers of the run's own. */
import { PostgresServer } from '../../support/postgres-server.js';
import { RedisServer } from '../../support/redis-server.js';
import { Member } from './member.js';
import type { StoredRow } from './territory.js';

export interface CheckedSystemOptions {
  readonly instances: number;
  readonly policy: 'commit' | 'refuse';
}

const DATABASE = 'checked';

export class CheckedSystem {
  #isDatabaseUp = true;

  private constructor(
    readonly postgres: PostgresServer,
    readonly redis: RedisServer,
    readonly members: readonly Member[],
  ) {}

  static async start({ instances, policy }: CheckedSystemOptions): Promise<CheckedSystem> {
    const started = await Promise.allSettled([PostgresServer.start(), RedisServer.start()]);
    const [postgres, redis] = started;
    if (postgres.status === 'rejected' || redis.status === 'rejected') {
      for (const server of started) if (server.status === 'fulfilled') await server.value.stop();
      throw (started.find(({ status }) => status === 'rejected') as PromiseRejectedResult).reason;
    }
    const databaseUrl = await postgres.value.createDatabase(DATABASE);
    const env = { REDIS_URL: redis.value.url, CACHE_WRITE_POLICY: policy, LOG_LEVEL: 'warn' };
    const members = Array.from(
      { length: instances },
      (_, index) => new Member(index, databaseUrl, env),
    );
    const system = new CheckedSystem(postgres.value, redis.value, members);
    try {
      await Promise.all(members.map((member) => member.start()));
    } catch (error) {
      await system.stop();
      throw error;
    }
    return system;
  }

  async stop(): Promise<void> {
    this.redis.resume();
    await Promise.all(this.members.map((member) => member.stop()));
    await Promise.all([this.postgres.stop(), this.redis.stop()]);
  }

  /** The rows of some regions as the database has them, past every cache. Rejects when it is away. */
  rowsOf(regions: readonly string[]): Promise<StoredRow[]> {
    const names = regions.map((region) => `'${region}'`).join(', ');
    return this.#query<StoredRow>(
      `SELECT id, username, region, email FROM users WHERE region IN (${names}) ORDER BY id`,
    );
  }

  /** Whether an instance's process is dead and so is every database session it had. */
  async isGone(session: string): Promise<boolean> {
    if (this.members.some((member) => member.isAlive(session))) return false;
    const rows = await this.#query(
      `SELECT 1 FROM pg_stat_activity WHERE application_name = '${session}'`,
    );
    return rows.length === 0;
  }

  /** Cuts every connection of every instance to the database; answers how many there were. */
  async terminateBackends(): Promise<number> {
    const rows = await this.#query<{ pid: number }>(
      `SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE application_name LIKE 'checked-%'`,
    );
    return rows.length;
  }

  /** Marks PostgreSQL as taken away for the time being, so that nobody waits for it. */
  set isDatabaseUp(isUp: boolean) {
    this.#isDatabaseUp = isUp;
  }

  #query<Row extends object>(sql: string): Promise<Row[]> {
    if (!this.#isDatabaseUp) return Promise.reject(new Error('The database is away'));
    return this.postgres.psql<Row>(sql, DATABASE);
  }
}
