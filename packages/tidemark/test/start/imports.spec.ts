/** Imports that cannot work stop the start, and the message names the remedy. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  Module,
  type DynamicModule,
  type LoggerService,
  type ModuleMetadata,
} from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import pg from 'pg';
import { DataSource } from 'typeorm';
import {
  CacheInvalidationModule,
  QueryCache,
  QueryCacheModule,
  type QueryCacheModuleOptions,
} from '../../src/index.js';
import type { CacheReader } from '../../src/nestjs/cache-reader.js';
import { QueryCaches } from '../../src/nestjs/query-caches.js';
import { resolveOptions } from '../../src/nestjs/query-cache.options.js';
import { eventually } from '../../../../test/support/eventually.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { Part, parts } from './started-application.js';

let url: string;
let closing: (() => Promise<unknown>)[] = [];
let last: TestingModule;

// Applications that do not start leave the connections of their data sources behind.
beforeEach(async () => {
  url = await createDatabase();
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('CREATE TABLE parts (id int PRIMARY KEY, name text NOT NULL)');
  await client.end();
});

afterEach(async () => {
  for (const close of closing) await close();
  closing = [];
});

const SILENT: LoggerService = { log: () => {}, error: () => {}, warn: () => {} };

const database = (name?: string): DynamicModule =>
  TypeOrmModule.forRoot({
    ...(name !== undefined && { name }),
    type: 'postgres',
    url,
    entities: [Part],
    retryAttempts: 0,
    extra: { allowExitOnIdle: true },
  });
const cache = (options?: QueryCacheModuleOptions & { dataSource?: string }) =>
  QueryCacheModule.forRoot(options);
const writes = (options?: { dataSource?: string }) =>
  CacheInvalidationModule.forRoot({ triggers: 'off', ...options });

async function start(imports: NonNullable<ModuleMetadata['imports']>): Promise<QueryCache> {
  const testing = await Test.createTestingModule({ imports }).setLogger(SILENT).compile();
  last = testing;
  closing.push(() => testing.close());
  await testing.init();
  return testing.get(QueryCache);
}

/** A data source of another database, as Nest would inject it. */
function otherDatabase(type: string): DynamicModule {
  @Module({})
  class OtherDatabase {}
  const source = Object.assign(Object.create(DataSource.prototype) as object, {
    options: { type },
    isInitialized: true,
  });
  return {
    module: OtherDatabase,
    global: true,
    providers: [{ provide: DataSource, useValue: source }],
    exports: [DataSource],
  };
}

describe('an application does not start', () => {
  it.each<[string, () => NonNullable<ModuleMetadata['imports']>, RegExp]>([
    [
      'without CacheInvalidationModule: the message is the line to add',
      () => [database(), cache()],
      /imports: \[\.\.\., CacheInvalidationModule\.forRoot\(\)\].*readOnly: true/,
    ],
    [
      'without CacheInvalidationModule for a named data source',
      () => [database('reporting'), cache({ dataSource: 'reporting' })],
      /imports: \[\.\.\., CacheInvalidationModule\.forRoot\(\{ dataSource: 'reporting' \}\)\]/,
    ],
    [
      'without QueryCacheModule',
      () => [database(), writes()],
      /import QueryCacheModule\.forRoot\(\) beside it/,
    ],
    [
      'with QueryCacheModule.forRoot() twice for one data source',
      () => [database(), cache(), cache({ ttlMs: 5 }), writes()],
      /QueryCacheModule\.forRoot\(\) is imported twice for the data source "default".*import it once/,
    ],
    [
      'with CacheInvalidationModule.forRoot() twice for one data source',
      () => [database(), cache(), writes(), writes()],
      /CacheInvalidationModule\.forRoot\(\) is imported twice for the data source "default"/,
    ],
    [
      'with readOnly beside CacheInvalidationModule',
      () => [database(), cache({ readOnly: true }), writes()],
      /`readOnly`.*leave one of them out/,
    ],
    [
      'without a data source',
      () => [cache(), writes()],
      /needs the data source "default".*import TypeOrmModule\.forRoot\(\{ type: 'postgres'/,
    ],
    [
      'with named data sources alone',
      () => [database('reporting'), cache(), writes()],
      /needs the data source "default".*It has "reporting".*forRoot\(\{ dataSource: 'reporting' \}\)/,
    ],
    ...['better-sqlite3', 'mysql', 'cockroachdb'].map(
      (type): [string, () => NonNullable<ModuleMetadata['imports']>, RegExp] => [
        `with a data source of type ${type}`,
        () => [otherDatabase(type), cache(), writes()],
        new RegExp(`"default" has the type ${type}.*PostgreSQL 15.*type: "postgres"`),
      ],
    ),
  ])('%s', async (_what, imports, message) => {
    await expect(start(imports())).rejects.toThrow(message);
  });
});

describe('caches in this process', () => {
  const reader = {} as CacheReader;
  const connected = async (databaseUrl: string): Promise<DataSource> => {
    const source = new DataSource({ type: 'postgres', url: databaseUrl });
    closing.push(() => source.destroy());
    return source.initialize();
  };
  const options = resolveOptions({});

  it('of two data sources of one database are refused: each would miss the writes of the other', async () => {
    const caches = new QueryCaches();
    await caches.add('default', { reader, options, source: await connected(url) });
    const second = caches.add('b', { reader, options, source: await connected(url) });
    await expect(second).rejects.toThrow(/"default" and "b" lead to one.*`redis`.*`namespace`/);
  });

  it('of two databases are not, nor of one database over Redis', async () => {
    const caches = new QueryCaches();
    const overRedis = resolveOptions({ redis: 'redis://host' });
    await caches.add('default', { reader, options: overRedis, source: await connected(url) });
    await caches.add('b', { reader, options, source: await connected(await createDatabase()) });
    await caches.add('c', { reader, options: overRedis, source: await connected(url) });
  });
});

describe('an application starts', () => {
  it('with the same module object imported by several modules, and follows writes once', async () => {
    const [one, other] = [cache(), writes()];
    @Module({ imports: [one, other] })
    class Feature {}
    const queryCache = await start([database(), one, other, Feature]);
    expect(await queryCache.run(parts)).toEqual([]);
  });

  it('with two data sources of one database in two namespaces: a write over one is seen by the other', async () => {
    const queryCache = await start([
      ...[database(), cache(), CacheInvalidationModule.forRoot()],
      ...[database('b'), cache({ dataSource: 'b', namespace: 'other' })],
      CacheInvalidationModule.forRoot({ dataSource: 'b' }),
    ]);
    const other = last.get<DataSource>('bDataSource');
    expect(await queryCache.run(parts)).toEqual([]);
    await other.query(`INSERT INTO parts VALUES (1, 'bolt')`);
    await eventually(async () => expect(await queryCache.run(parts)).toEqual(['bolt']));
  });
});
