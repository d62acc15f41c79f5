/** Real: PostgreSQL. The metrics of the caches of an application. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { INestApplicationContext } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { register, Registry } from 'prom-client';
import { DataSource } from 'typeorm';
import {
  CacheInvalidationModule,
  type CacheInvalidationModuleOptions,
  getQueryCacheToken,
  QueryCache,
  QueryCacheModule,
} from '../../src/index.js';
import { CacheMetricsModule } from '../../src/metrics/index.js';
import { SqlAnalyser } from '../../src/postgres/analysis/sql-analyser.js';
import { outcomesOf } from '../../src/testing/index.js';
import { eventually } from '../../../../test/support/eventually.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { StatementCounter } from '../support/statement-counter.js';
import { Part, parts } from '../start/started-application.js';

let app: INestApplicationContext | undefined;

afterEach(async () => {
  await app?.close();
  app = undefined;
});

const databaseOf = async (name?: string) =>
  TypeOrmModule.forRoot({
    ...(name && { name }),
    type: 'postgres',
    url: await createDatabase(),
    entities: [Part],
    synchronize: true,
    retryAttempts: 0,
  });

async function start(
  registry: Registry,
  others: readonly string[] = [],
  invalidation: CacheInvalidationModuleOptions = {},
): Promise<INestApplicationContext> {
  const testing = await Test.createTestingModule({
    imports: [
      await databaseOf(),
      QueryCacheModule.forRoot(),
      CacheInvalidationModule.forRoot(invalidation),
      ...(await Promise.all(others.map(databaseOf))),
      ...others.map((dataSource) => QueryCacheModule.forRoot({ dataSource, readOnly: true })),
      registry === register
        ? CacheMetricsModule.forRoot()
        : CacheMetricsModule.forRoot({ registry }),
    ],
  }).compile();
  testing.useLogger(false);
  app = await testing.init();
  return app;
}

/** The value of a series; `undefined`: it does not exist. */
async function read(registry: Registry, series: string): Promise<number | undefined> {
  const lines = (await registry.metrics()).split('\n');
  const line = lines.find((text) => text.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

describe('the metrics of a cache', () => {
  it('count hits, misses and bypasses by query, and the statements that hits saved', async () => {
    const registry = new Registry();
    const context = await start(registry);
    const cache = context.get(QueryCache);
    const source = context.get(DataSource);
    await source.getRepository(Part).insert({ id: 1, name: 'wheel' });
    const outcomes = outcomesOf(cache);
    const sql = StatementCounter.attach(source);
    await outcomes.until('parts', 'L1', () => cache.run(parts));
    for (let i = 0; i < 3; i++) await cache.run(parts);
    const { length: selected } = sql.selectsFrom('parts');
    await source.transaction((manager) =>
      cache.run(manager.getRepository(Part).createQueryBuilder('p')),
    );
    const seen = outcomes.of('parts');
    const timesOf = (outcome: string) => seen.filter((one) => one === outcome).length;
    const bypasses = seen.filter((one) => one.startsWith('bypass')).length;

    expect(selected).toBe(timesOf('miss') + bypasses);
    sql.detach();
    expect(await read(registry, 'tidemark_cache_hits_total{query="parts",level="L1"}')).toBe(
      timesOf('L1'),
    );
    expect(await read(registry, 'tidemark_cache_misses_total{query="parts",stored="true"}')).toBe(
      timesOf('miss'),
    );
    expect(
      await read(registry, 'tidemark_cache_bypasses_total{query="Part",reason="transaction"}'),
    ).toBe(1);
    expect(await read(registry, 'tidemark_cache_hit_duration_seconds_count{level="L1"}')).toBe(
      timesOf('L1'),
    );
    expect(await read(registry, 'tidemark_cache_fill_duration_seconds_count')).toBe(
      timesOf('miss'),
    );
    const filled = await read(registry, 'tidemark_cache_fill_seconds_total{query="parts"}');
    const saved = await read(registry, 'tidemark_cache_saved_seconds_total{query="parts"}');
    expect(saved).toBeCloseTo(((filled ?? 0) / timesOf('miss')) * timesOf('L1'), 9);
    expect(await read(registry, 'tidemark_cache_l1_entries')).toBe(1);
    expect(await read(registry, 'tidemark_cache_l1_bytes')).toBeGreaterThan(0);
  });

  it('count writes by their origin, and have each series of a closed set from the start', async () => {
    const registry = new Registry();
    const context = await start(registry);
    const writes = (source: string) =>
      read(registry, `tidemark_cache_invalidations_total{source="${source}"}`);
    expect([await writes('service'), await writes('outside')]).toEqual([0, 0]);
    for (const difference of ['none', 'content', 'order', 'headers']) {
      expect(await read(registry, `tidemark_cache_audits_total{difference="${difference}"}`)).toBe(
        0,
      );
    }
    await context.get(DataSource).getRepository(Part).insert({ id: 1, name: 'wheel' });
    expect(await writes('service')).toBe(1);
    expect(await read(registry, 'tidemark_cache_invalidated_versions_total')).toBeGreaterThan(0);
  });

  it('count a write without another parse of its text for a name', async () => {
    const named = vi.spyOn(SqlAnalyser.prototype, 'write');
    try {
      const registry = new Registry();
      const source = (await start(registry)).get(DataSource);
      await source.getRepository(Part).insert({ id: 1, name: 'wheel' });
      const series = 'tidemark_cache_invalidations_total{source="service"}';
      expect([await read(registry, series), named.mock.calls]).toEqual([1, []]);
    } finally {
      named.mockRestore();
    }
  });

  it('count the tables whose triggers are missing', async () => {
    const registry = new Registry();
    await start(registry, [], { triggers: 'check' });
    expect(await read(registry, 'tidemark_outbox_missing_triggers')).toBe(1);
    await app?.close();
    await start(registry);
    await eventually(async () => {
      expect(await read(registry, 'tidemark_outbox_missing_triggers')).toBe(0);
    });
    expect(await read(registry, 'tidemark_cache_degraded')).toBe(0);
  });

  it('have the label data_source if there are several caches, and no outbox where nothing is written', async () => {
    const registry = new Registry();
    const context = await start(registry, ['reporting']);
    const reporting = context.get<QueryCache>(getQueryCacheToken('reporting'), { strict: false });
    const part = context.get<DataSource>('reportingDataSource').getRepository(Part);
    await reporting.run(part.createQueryBuilder('p'));
    const misses = (source: string) =>
      read(
        registry,
        `tidemark_cache_misses_total{data_source="${source}",query="Part",stored="true"}`,
      );
    expect([await misses('reporting'), await misses('default')]).toEqual([1, undefined]);
    const usable = (source: string) =>
      read(registry, `tidemark_outbox_usable{data_source="${source}"}`);
    expect([await usable('default'), await usable('reporting')]).toEqual([1, undefined]);
  });

  it('are in the registry of prom-client by default, until the application has closed', async () => {
    await start(register);
    expect(await read(register, 'tidemark_cache_degraded')).toBe(0);
    await app?.close();
    expect(await register.metrics()).not.toContain('tidemark_');
    await start(register);
    expect(await read(register, 'tidemark_cache_degraded')).toBe(0);
  });

  it('need a cache: without one the application does not start', async () => {
    const testing = await Test.createTestingModule({
      imports: [CacheMetricsModule.forRoot({ registry: new Registry() })],
    }).compile();
    testing.useLogger(false);
    await expect(testing.init()).rejects.toThrow('import QueryCacheModule.forRoot()');
  });
});
