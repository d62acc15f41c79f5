/** Real: PostgreSQL, Redis. What `explainNamed` says about the last call of a query and about its entry. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defineQuery, type QueryCacheModuleOptions } from '../../src/index.js';
import { eventually } from '../../../../test/support/eventually.js';
import { RedisServer } from '../../../../test/support/redis-server.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { CachedReads } from './cached-reads.js';
import { Author, LIBRARY } from './fixtures/library.entities.js';

const SECRET = 'Atlantis';

const inRegion = defineQuery({
  name: 'authors.in-region',
  build: (source, { region }: { region: string }) =>
    source
      .getRepository(Author)
      .createQueryBuilder('a')
      .where(`a.region = :region AND a.name <> 'literal'`, { region }),
  map: ({ name }) => name,
});

const all = defineQuery({
  name: 'authors.all',
  build: (source) => source.getRepository(Author).createQueryBuilder('a'),
  map: ({ name }) => name,
});

const moments = defineQuery({
  name: 'authors.moments',
  build: (source) => source.getRepository(Author).createQueryBuilder('a').where('now() > $1'),
});

let redis: RedisServer;
let databaseUrl: string;
let reads: CachedReads;

const start = (cache: QueryCacheModuleOptions = {}) =>
  CachedReads.start(
    LIBRARY,
    [],
    { redis: { url: redis.url }, ...cache },
    { database: databaseUrl },
  );

const here = (name: string) => reads.app.cache.explainNamed(name);

beforeAll(async () => {
  redis = await RedisServer.start();
  databaseUrl = await createDatabase();
  reads = await start();
  await reads.write(`INSERT INTO authors (id, name, region) VALUES (1, 'Plato', '${SECRET}')`);
});

afterAll(async () => {
  await reads.stop();
  await redis.stop();
});

const call = () => inRegion.bind({ region: SECRET });

describe('explainNamed', () => {
  it('a name without a call: undefined', async () => {
    expect(await here('authors.in-region')).toBeUndefined();
  });

  it('a stored answer: key, dependencies, and the entry in memory; no value of a region and no literal', async () => {
    await reads.warm(call);
    const treatment = await here('authors.in-region');
    expect(treatment).toMatchObject({
      cacheable: true,
      key: expect.any(String),
      sql: expect.stringContaining('WHERE "a"."region" = $1 AND "a"."name" <> $2'),
      dependencies: [{ table: 'public.authors', isWhole: false }],
      entry: { level: 'L1', ageMs: expect.any(Number), leftMs: expect.any(Number) },
    });
    const { entry } = treatment as { entry: { bytes: number; ageMs: number; leftMs: number } };
    expect(entry.bytes).toBeGreaterThan(0);
    expect(entry.ageMs).toBeGreaterThanOrEqual(0);
    expect(entry.leftMs).toBeGreaterThan(0);
    const text = JSON.stringify(treatment);
    expect(text).not.toContain(SECRET);
    expect(text).not.toContain('literal');
  });

  it('an entry that another instance has stored, and that this one does not keep: L2', async () => {
    const other = await start({ l1Bytes: 1 });
    try {
      await other.warm(call);
      expect(await other.app.cache.explainNamed('authors.in-region')).toMatchObject({
        entry: { level: 'L2' },
      });
    } finally {
      await other.stop();
    }
  });

  it('an entry that a write has ended: none, until the next call', async () => {
    await reads.warm(() => all.bind());
    await reads.write(`UPDATE authors SET name = 'Platon'`);
    expect(await here('authors.all')).toMatchObject({
      dependencies: [
        { isWhole: true, reason: expect.stringContaining('no condition restricts a') },
      ],
      entry: undefined,
    });
    await reads.warm(() => all.bind());
    expect(await here('authors.all')).toMatchObject({ entry: { level: 'L1' } });
  });

  it('a query that is never cached: the reason, its detail and the remedy', async () => {
    await reads.read(moments.bind()).catch(() => undefined);
    expect(await here('authors.moments')).toMatchObject({
      cacheable: false,
      reason: 'volatile-function',
      detail: expect.stringContaining('now'),
      remedy: expect.stringContaining('Compute the value'),
    });
  });

  it('a call in a transaction: the reason, and with the next call outside of it the plan again', async () => {
    await reads.app.source.transaction(async (manager) => {
      await reads.read(manager.getRepository(Author).createQueryBuilder('a'));
    });
    expect(await here('Author')).toMatchObject({ cacheable: false, reason: 'transaction' });
    await reads.read(reads.app.source.getRepository(Author).createQueryBuilder('a'));
    expect(await here('Author')).toMatchObject({ cacheable: true });
  });

  it('an answer over the size limit: why it was not stored', async () => {
    const small = await start({ maxEntryBytes: 1, namespace: 'small' });
    try {
      await eventually(async () => {
        await small.read(all.bind());
        expect(await small.app.cache.explainNamed('authors.all')).toMatchObject({
          cacheable: false,
          reason: 'too-large',
          remedy: expect.stringContaining('maxEntryBytes'),
        });
      });
    } finally {
      await small.stop();
    }
  });

  it('with exposeValues: the values and the literals', async () => {
    const open = await start({ exposeValues: true });
    try {
      await open.read(call());
      expect(await open.app.cache.explainNamed('authors.in-region')).toMatchObject({
        sql: expect.stringContaining(`'literal'`),
      });
    } finally {
      await open.stop();
    }
  });

  it('a disabled cache: that, and the remedy', async () => {
    const off = await start({ enabled: false });
    try {
      await off.read(call());
      expect(await off.app.cache.explainNamed('authors.in-region')).toMatchObject({
        cacheable: false,
        reason: 'disabled',
        remedy: 'Leave out `enabled`.',
      });
    } finally {
      await off.stop();
    }
  });
});
