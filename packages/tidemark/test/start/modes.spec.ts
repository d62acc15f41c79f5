/** The cache switched off, on trial, and over a data source that is only read. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Controller, Get, Injectable } from '@nestjs/common';
import pg from 'pg';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import {
  CacheHealth,
  CacheInvalidationModule,
  CacheQuery,
  NotASelectError,
  NotFollowedError,
  OutboxRelay,
  QueryCache,
  QueryCacheModule,
  TriggerKeeper,
} from '../../src/index.js';
import { eventually } from '../../../../test/support/eventually.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { CachedApplication } from '../support/cached-application.js';
import { startAdopter, type Adopter } from '../routes/adopter.js';
import { Part, parts } from './started-application.js';

@Controller('parts')
class Parts {
  @Get()
  @CacheQuery()
  list() {
    return parts;
  }
}

let adopter: Adopter | undefined;
let app: CachedApplication | undefined;

afterEach(async () => {
  await adopter?.stop();
  await app?.stop();
  [adopter, app] = [undefined, undefined];
});

describe('enabled: false', () => {
  const off = { enabled: false, redis: 'redis://user:secret@127.0.0.1:1' };

  it('runs every query, without triggers, subscriber or Redis, and reports no degradation', async () => {
    const { app: nest, source } = (adopter = await startAdopter({ entities: [Part], cache: off }));
    expect(source.subscribers).toEqual([]);
    expect(await source.query(`SELECT FROM pg_trigger WHERE tgname LIKE 'tidemark%'`)).toEqual([]);
    expect(await source.query(`SELECT to_regclass('tidemark_tidemark.outbox') AS t`)).toEqual([
      { t: null },
    ]);
    expect(nest.get(CacheHealth).check()).toEqual({ status: 'up' });
    expect(nest.get(OutboxRelay)).toMatchObject({ state: 'absent', problem: undefined });
    expect(nest.get(TriggerKeeper).problem).toBeUndefined();
    const seen: unknown[] = [];
    const cache = nest.get(QueryCache);
    cache.events.on('bypass', (event) => seen.push(event));
    await source.query(`INSERT INTO parts VALUES (1, 'bolt')`);
    for (let times = 0; times < 2; times += 1) {
      adopter.sql.reset();
      expect(await cache.run(parts)).toEqual(['bolt']);
      expect(adopter.sql.selectsFrom('parts')).toHaveLength(1);
    }
    expect(seen).toMatchObject([
      { query: 'parts', reason: 'disabled', detail: undefined },
      { query: 'parts', reason: 'disabled', detail: undefined },
    ]);
    expect(cache.explain(parts)).toMatchObject({ cacheable: false, reason: 'disabled' });
    expect(await cache.warm([parts])).toMatchObject({ filled: 0, uncacheable: 1 });
    await cache.invalidate([{ table: 'public.parts' }]);
  });

  it('answers routes with the bytes and headers of Nest, and Cache-Status', async () => {
    adopter = await startAdopter({ entities: [Part], cache: off, controllers: [Parts] });
    await adopter.source.query(`INSERT INTO parts VALUES (1, 'bolt')`);
    const { headers, body, statusCode } = await adopter.inject({ url: '/parts' });
    expect({ statusCode, body }).toEqual({ statusCode: 200, body: '["bolt"]' });
    expect(headers).toEqual({
      'cache-status': 'tidemark; fwd=bypass; detail=disabled',
      'content-type': 'application/json; charset=utf-8',
      'content-length': '8',
      date: expect.any(String),
      connection: expect.any(String),
    });
  });

  it('refuses SQL text that is no SELECT, as with the cache', async () => {
    adopter = await startAdopter({ entities: [Part], cache: off });
    const { source } = adopter;
    await source.query(`INSERT INTO parts VALUES (1, 'bolt')`);
    const deleted = adopter.app.get(QueryCache).query('DELETE FROM parts');
    await expect(deleted).rejects.toThrow(NotASelectError);
    expect(await source.query('SELECT id FROM parts')).toHaveLength(1);
  });

  it('needs no CacheInvalidationModule', async () => {
    const testing = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({ type: 'postgres', url: await createDatabase() }),
        QueryCacheModule.forRoot({ enabled: false }),
      ],
    }).compile();
    await testing.init();
    await testing.close();
  });
});

describe("mode: 'shadow'", () => {
  let client: pg.Client;
  let cache: QueryCache;
  let compared: unknown[];
  const rename = (name: string) => client.query(`UPDATE parts SET name = '${name}'`);

  beforeEach(async () => {
    const databaseUrl = await createDatabase();
    app = await CachedApplication.start({
      databaseUrl,
      entities: [Part],
      synchronize: true,
      cache: { mode: 'shadow' },
    });
    ({ cache } = app);
    compared = [];
    cache.events.on('shadowCompared', ({ query, difference, stamp }) => {
      compared.push({ query, difference, hasStamp: stamp.includes('parts') });
    });
    client = new pg.Client({ connectionString: databaseUrl });
    await client.connect();
    await app.source.query(`INSERT INTO parts VALUES (1, 'bolt')`);
    await eventually(async () => {
      const seen = await app?.observe(() => cache.run(parts));
      if (seen?.outcomes[0] !== 'hit') throw new Error('The answer is not stored yet.');
    });
  });

  afterEach(() => client.end());

  it('serves the answer of the database, and reports that the stored one is equal', async () => {
    compared.length = 0;
    expect(await cache.run(parts)).toEqual(['bolt']);
    await eventually(() =>
      expect(compared).toEqual([{ query: 'parts', difference: 'none', hasStamp: true }]),
    );
  });

  it('reports a stored answer that differs because a write was not seen, and does not serve it', async () => {
    // Without triggers, the cache does not see it.
    await rename('nut');
    compared.length = 0;
    expect(await cache.run(parts)).toEqual(['nut']);
    await eventually(() =>
      expect(compared).toEqual([{ query: 'parts', difference: 'content', hasStamp: true }]),
    );
  });

  it('reports no difference if the answer was ended while the query ran', async () => {
    await rename('nut');
    compared.length = 0;
    const running = cache.run(parts);
    await cache.invalidate([{ table: 'public.parts' }]);
    expect(await running).toEqual(['nut']);
    // The next comparison is of an answer that was stored since.
    await eventually(async () => {
      await cache.run(parts);
      expect(compared).not.toEqual([]);
    });
    expect(compared[0]).toEqual({ query: 'parts', difference: 'none', hasStamp: true });
  });
});

describe('readOnly: true', () => {
  it('caches without CacheInvalidationModule', async () => {
    const databaseUrl = await createDatabase();
    const writer = await CachedApplication.start({
      databaseUrl,
      entities: [Part],
      synchronize: true,
    });
    await writer.source.query(`INSERT INTO parts VALUES (1, 'bolt')`);
    await writer.stop();
    const testing = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({ type: 'postgres', url: databaseUrl, entities: [Part] }),
        QueryCacheModule.forRoot({ readOnly: true }),
      ],
    }).compile();
    await testing.init();
    const cache = testing.get(QueryCache);
    const hits: unknown[] = [];
    cache.events.on('hit', (event) => hits.push(event));
    for (let times = 0; times < 2; times += 1) expect(await cache.run(parts)).toEqual(['bolt']);
    expect(hits).toMatchObject([{ query: 'parts', level: 'L1' }]);
    expect(testing.get(CacheHealth).check()).toEqual({ status: 'up' });
    const source = testing.get(DataSource);
    await expect(source.query(`UPDATE parts SET name = 'nut'`)).rejects.toThrow(/`readOnly`/);
    expect(await source.query('SELECT name FROM parts')).toEqual([{ name: 'bolt' }]);
    // Initialised again, the data source has no guard: writes go through, and nothing stored is served.
    await source.destroy();
    await source.initialize();
    await source.query(`UPDATE parts SET name = 'nut'`);
    expect(await cache.run(parts)).toEqual(['nut']);
    expect(hits).toHaveLength(1);
    expect(testing.get(CacheHealth).check()).toMatchObject({ status: 'degraded' });
    await testing.close();
    expect(source.subscribers).toEqual([]);
  });
});

describe('QueryCache.run before writes are followed', () => {
  it('rejects in a constructor, and answers from onModuleInit on', async () => {
    const early: unknown[] = [];
    @Injectable()
    class Early {
      constructor(private readonly cache: QueryCache) {
        early.push(cache.run(parts).catch((error: unknown) => error));
      }

      async onModuleInit(): Promise<void> {
        early.push(await this.cache.run(parts));
      }
    }
    const testing = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({
          type: 'postgres',
          url: await createDatabase(),
          entities: [Part],
          synchronize: true,
        }),
        QueryCacheModule.forRoot(),
        CacheInvalidationModule.forRoot({ triggers: 'off' }),
      ],
      providers: [Early],
    }).compile();
    await testing.init();
    const [inConstructor, inHook] = await Promise.all(early);
    expect(inConstructor).toBeInstanceOf(NotFollowedError);
    expect(String(inConstructor)).toMatch(/The query parts ran before.*onModuleInit/);
    expect(inHook).toEqual([]);
    await testing.close();
  });
});
