/** Real: PostgreSQL, Redis. A start that fails leaves no connection and no timer of the cache behind. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Module, type DynamicModule, type ModuleMetadata, type OnModuleInit } from '@nestjs/common';
import { LazyModuleLoader } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Redis } from 'ioredis';
import pg from 'pg';
import { Column, DataSource, Entity, PrimaryColumn } from 'typeorm';
import {
  CacheInvalidationModule,
  type CacheInvalidationModuleOptions,
  CacheRegion,
  QueryCache,
  QueryCacheModule,
  type QueryCacheModuleOptions,
} from '../../src/index.js';
import { eventually } from '../../../../test/support/eventually.js';
import { freePort } from '../../../../test/support/free-port.js';
import { RedisServer } from '../../../../test/support/redis-server.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { outcomesOf } from '../../src/testing/index.js';
import { Part, parts } from './started-application.js';

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

@Module({ imports: [QueryCacheModule.forRoot({ dataSource: 'later', redis: '' })] })
class LaterCache {}

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
const writes = (
  options: CacheInvalidationModuleOptions & { dataSource?: string } = {},
): DynamicModule => CacheInvalidationModule.forRoot(options);

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
      'with a wrong option of CacheInvalidationModule',
      () => [database(), cache(), writes({ implicitTransactionIdleMs: -1 })],
      /implicitTransactionIdleMs/,
    ],
    [
      'with CacheInvalidationModule for a data source without a cache',
      () => [database(), cache(), writes(), writes({ dataSource: 'reporting' })],
      /has no cache to follow writes for/,
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

describe('a cache that fails in a running application', () => {
  it('leaves the caches of the application open', async () => {
    const imports = [database(), cache(), writes({ writePolicy: 'refuse' })];
    const testing = await Test.createTestingModule({ imports }).setLogger(SILENT).compile();
    await testing.init();
    try {
      const reader = testing.get(QueryCache);
      const outcomes = outcomesOf(reader);
      const read = () => reader.run(parts);
      await outcomes.until('parts', 'hit', read);
      const later = testing.get(LazyModuleLoader).load(() => LaterCache);
      await expect(later).rejects.toThrow('`redis`');
      outcomes.clear();
      await read();
      outcomes.expect('parts', 'hit');
      await testing.get(DataSource).query(`INSERT INTO parts VALUES (7, 'seven')`);
      expect(await read()).toHaveLength(1);
    } finally {
      await testing.close();
    }
  });
});
