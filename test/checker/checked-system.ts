/** The system under test: built instances on one PostgreSQL and one Redis of a kind, on servers of this run alone. */
import { PostgresServer } from '../support/postgres-server.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { DatabaseView } from './database-view.js';
import { Member, SESSION_PREFIX } from './member.js';
import type { CheckOptions } from './options.js';
import type { CheckedRedis } from './redis/checked-redis.js';
import { startRedis } from './redis/start-redis.js';

export type CheckedSystemOptions = Pick<CheckOptions, 'instances' | 'policy' | 'redis'>;

export class CheckedSystem {
  private constructor(
    readonly postgres: PostgresServer,
    readonly redis: CheckedRedis,
    readonly database: DatabaseView,
    readonly members: readonly Member[],
    readonly databaseUrl: string,
  ) {}

  static async start(options: CheckedSystemOptions): Promise<CheckedSystem> {
    const { instances, policy } = options;
    const postgres = await PostgresServer.start();
    const redis = await startRedis(options.redis).catch(async (error: unknown) => {
      await postgres.stop();
      throw error;
    });
    const databaseUrl = await postgres.createDatabase('checked');
    const env = { CACHE_WRITE_POLICY: policy, LOG_LEVEL: 'warn' };
    const members = await Promise.all(
      Array.from({ length: instances }, async (_, index) => {
        const routes = {
          postgres: await TcpProxy.open(postgres.port),
          redis: await redis.openRoute(),
        };
        return new Member(index, databaseUrl, routes, { ...env, ...redis.envOf(routes.redis) });
      }),
    );
    const database = new DatabaseView(databaseUrl);
    const system = new CheckedSystem(postgres, redis, database, members, databaseUrl);
    try {
      await Promise.all(members.map((member) => member.start()));
    } catch (error) {
      await system.stop();
      throw error;
    }
    return system;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.members.map((member) => member.stop()), this.database.close()]);
    await Promise.all([this.postgres.stop(), this.redis.stop()]);
  }

  /** Whether an instance's process is dead and so is every database session it had. */
  async isGone(session: string): Promise<boolean> {
    if (this.members.some((member) => member.isAlive(session))) return false;
    return (await this.database.sessions(session)) === 0;
  }

  /** Cuts every connection of every instance to the database; returns their number. */
  terminateSessions(): Promise<number> {
    return this.database.terminate(SESSION_PREFIX);
  }
}
