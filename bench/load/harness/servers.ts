/** The bench's PostgreSQL and Redis, and the database that all contenders get a copy of. */
import 'reflect-metadata';
import { DataSource } from 'typeorm';
import { dataSourceOptions } from '../../../src/database/data-source.js';
import { migrate } from '../../../src/database/migrate.js';
import { User } from '../../../src/users/user.entity.js';
import { PostgresServer } from '../../../test/support/postgres-server.js';
import { RedisServer } from '../../../test/support/redis-server.js';
import { redisServerBinary } from '../../peers/redis-server-binary.js';
import { Statements } from './statements.js';

const TEMPLATE = 'bench_template';
const REDIS_DATABASES = 512;
const REDIS_SETTINGS = {
  databases: String(REDIS_DATABASES),
  maxmemory: '2gb',
  'maxmemory-policy': 'volatile-lru',
};

/** Users in the table. */
export const USERS = 30_000;
/** Regions that they are spread over: R0 to R9, by id. */
export const REGIONS = 10;

/** The data of one application: a separate database, and a separate database of Redis. */
export interface Place {
  readonly database: string;
  readonly databaseUrl: string;
  readonly redisUrl: string;
}

export class Servers {
  #places = 0;

  private constructor(
    readonly postgres: PostgresServer,
    readonly redis: RedisServer,
    /** Path of the Redis server program. */
    readonly redisProgram: string,
    readonly statements: Statements,
  ) {}

  /** @param isDurable whether PostgreSQL waits for the disk at each commit. */
  static async start(isDurable: boolean): Promise<Servers> {
    const redisProgram = await redisServerBinary();
    process.env['REDIS_SERVER'] = redisProgram;
    const redis = await RedisServer.start({ config: REDIS_SETTINGS });
    const postgres = await PostgresServer.start({
      config: {
        shared_preload_libraries: 'pg_stat_statements',
        ...(isDurable ? { fsync: 'on', full_page_writes: 'on' } : {}),
      },
    });
    await fillTemplate(await postgres.createDatabase(TEMPLATE));
    const statements = await Statements.watch(postgres.url);
    return new Servers(postgres, redis, redisProgram, statements);
  }

  /** A fresh place: nothing cached, the users as they were filled in. */
  async place(): Promise<Place> {
    const number = this.#places++ % REDIS_DATABASES;
    const database = `bench_${this.#places}`;
    await this.postgres.psql(`CREATE DATABASE ${database} TEMPLATE ${TEMPLATE}`);
    return {
      database,
      databaseUrl: this.postgres.urlOf(database),
      redisUrl: `${this.redis.url}/${number}`,
    };
  }

  /** Gives up what a place has stored, so that the next contenders run beside empty stores. */
  async drop({ database, redisUrl }: Place): Promise<void> {
    await this.postgres.psql(`DROP DATABASE ${database} WITH (FORCE)`);
    await emptyRedis(redisUrl);
  }

  async stop(): Promise<void> {
    await this.statements.stop().catch(() => undefined);
    await Promise.all([this.postgres.stop(), this.redis.stop()]);
  }
}

async function emptyRedis(url: string): Promise<void> {
  const { Redis } = await import('ioredis');
  const redis = new Redis(url);
  try {
    await redis.flushdb();
  } finally {
    redis.disconnect();
  }
}

/** Runs the service's migrations without the service, whose triggers no other contender needs. */
async function fillTemplate(url: string): Promise<void> {
  const source = new DataSource({ ...dataSourceOptions({ url, poolSize: 2 }), entities: [User] });
  await source.initialize();
  try {
    await migrate(source);
    await source.query(
      `INSERT INTO "users" ("username", "region", "email")
       SELECT 'user' || i, 'R' || i % $2::int, 'u' || i || '@ex.com'
       FROM generate_series(0, $1::int - 1) AS i ORDER BY i`,
      [USERS, REGIONS],
    );
    await source.query('VACUUM ANALYZE');
  } finally {
    await source.destroy();
  }
}
