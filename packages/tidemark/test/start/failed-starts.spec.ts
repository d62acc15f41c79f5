/** Real: PostgreSQL, Redis. A start that fails leaves no connection and no timer of the cache behind. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Module, type DynamicModule, type ModuleMetadata, type OnModuleInit } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Redis } from 'ioredis';
import pg from 'pg';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import {
  CacheInvalidationModule,
  CacheRegion,
  QueryCacheModule,
  type QueryCacheModuleOptions,
} from '../../src/index.js';
import { eventually } from '../../../../test/support/eventually.js';
import { freePort } from '../../../../test/support/free-port.js';
import { RedisServer } from '../../../../test/support/redis-server.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { Part } from './started-application.js';

type Imports = NonNullable<ModuleMetadata['imports']>;

@Entity('shelves')
@CacheRegion<{ aisle: string }>('aisle')
class Shelf {
  @PrimaryColumn({ type: 'integer' })
  id: number;

  @Column({ type: 'text' })
  name: string;
}

@Module({})
class Failing implements OnModuleInit {
  onModuleInit(): void {
    throw new Error('the module has failed');
  }
}

const APPLICATION = 'failed-start';
const SILENT = { log: () => {}, error: () => {}, warn: () => {} };

let redis: RedisServer;
let redisClient: Redis;
let databaseUrl: string;
let client: pg.Client;

beforeAll(async () => {
  redis = await RedisServer.start();
  redisClient = new Redis(redis.url);
});
afterAll(async () => {
  redisClient.disconnect();
  await redis.stop();
});

beforeEach(async () => {
  databaseUrl = await createDatabase();
  client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query(`CREATE TABLE parts (id int PRIMARY KEY, name text NOT NULL);
    CREATE TABLE shelves (id int PRIMARY KEY, name text NOT NULL)`);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await client.end();
});

/** A pool that closes idle connections, since Nest does not close the data source of an application that fails. */
const database = (extra: object = {}, options: { name?: string; entity?: Function } = {}) =>
  TypeOrmModule.forRoot({
    ...(options.name !== undefined && { name: options.name }),
    type: 'postgres',
    url: databaseUrl,
    applicationName: APPLICATION,
    entities: [options.entity ?? Part],
    retryAttempts: 0,
    extra: { idleTimeoutMillis: 1, ...extra },
  });
const namespace = (): string => new URL(databaseUrl).pathname.slice(1);
const cache = (options: QueryCacheModuleOptions & { dataSource?: string } = {}): DynamicModule =>
  QueryCacheModule.forRoot({ redis: redis.url, namespace: namespace(), ...options });
const writes = (options: { dataSource?: string } = {}): DynamicModule =>
  CacheInvalidationModule.forRoot(options);

/** As a connection pooler does. */
const pooled = {
  onConnect: (connection: pg.Client & { processID: number }) => (connection.processID += 1),
};

async function start(imports: Imports): Promise<void> {
  const testing = await Test.createTestingModule({ imports }).setLogger(SILENT).compile();
  try {
    await testing.init();
  } finally {
    await testing.close();
  }
}

/** The names of the connections to both servers. */
async function connections(): Promise<unknown[]> {
  const { rows } = await client.query<{ query: string }>(
    'SELECT query FROM pg_stat_activity WHERE application_name = $1 AND datname = current_database()',
    [APPLICATION],
  );
  const list = (await redisClient.client('LIST')) as string;
  const lines = list.split('\n').filter((line) => line.includes(` name=tidemark:${namespace()} `));
  return [...rows.map(({ query }) => query), ...lines];
}

describe('a start that fails leaves no connection and no interval', () => {
  it.each<[string, () => Imports | Promise<Imports>, RegExp]>([
    ['without CacheInvalidationModule', () => [database(), cache()], /Nothing follows the writes/],
    [
      'with CacheInvalidationModule twice',
      () => [database(), cache(), writes(), writes()],
      /CacheInvalidationModule\.forRoot\(\) is imported twice/,
    ],
    ['with an empty Redis URL', () => [database(), cache({ redis: '' }), writes()], /`redis`/],
    ['over a connection pooler', () => [database(pooled), cache(), writes()], /connection pooler/],
    [
      'over a connection pooler, without Redis',
      async () => [
        database(pooled),
        cache({ redis: `redis://127.0.0.1:${await freePort()}` }),
        writes(),
      ],
      /connection pooler/,
    ],
    [
      'with a region that is no column',
      () => [database({}, { entity: Shelf }), cache(), writes()],
      /`aisle`, which is no column/,
    ],
    [
      'with a region that is no column, of a data source that is only read',
      () => [database({}, { entity: Shelf }), cache({ readOnly: true })],
      /`aisle`, which is no column/,
    ],
    [
      'with two caches of one database that cannot see each other',
      () => [
        database(),
        cache(),
        writes(),
        database({}, { name: 'reporting' }),
        cache({ dataSource: 'reporting', redis: undefined }),
        writes({ dataSource: 'reporting' }),
      ],
      /lead to one database/,
    ],
    [
      'in another module, where the application is then closed',
      () => [database(), cache(), writes(), Failing],
      /the module has failed/,
    ],
  ])('%s', async (_, imports, message) => {
    const [set, cleared] = [
      vi.spyOn(globalThis, 'setInterval'),
      vi.spyOn(globalThis, 'clearInterval'),
    ];
    await expect(start(await imports())).rejects.toThrow(message);
    await eventually(async () => expect(await connections()).toEqual([]));
    const stopped = new Set(cleared.mock.calls.map(([timer]) => timer as unknown));
    const intervals = set.mock.results.filter(({ value }) => !stopped.has(value));
    expect(intervals).toEqual([]);
  });
});
