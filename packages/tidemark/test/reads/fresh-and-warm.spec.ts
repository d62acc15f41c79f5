/** Real: PostgreSQL, Redis. Answers that are stored on demand: `run(query, { fresh: true })` and `warm`. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { defineQuery, findQuery } from '../../src/index.js';
import { RedisServer } from '../../../../test/support/redis-server.js';
import { eventually } from '../../../../test/support/eventually.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { CachedReads } from './cached-reads.js';
import { Country } from './fixtures/library.entities.js';

const byId = defineQuery({
  name: 'country',
  shape: 'one',
  build: (source, { id }: { id: number }) =>
    source.getRepository(Country).createQueryBuilder('c').where('c.id = :id', { id }),
  map: ({ name }: Country) => ({ name }),
});
const moment = defineQuery({
  name: 'moment',
  shape: 'raw',
  build: (source, _: Record<string, never>) =>
    source.getRepository(Country).createQueryBuilder('c').select('now()', 'at'),
}).bind({});
const broken = defineQuery({
  name: 'broken',
  build: (source, _: Record<string, never>) =>
    source.getRepository(Country).createQueryBuilder('c').where('c.id = 1 / 0'),
}).bind({});

let redis: RedisServer;
let reads: CachedReads;
const others: CachedReads[] = [];

beforeAll(async () => {
  redis = await RedisServer.start();
});
afterAll(() => redis.stop());

const start = async (database: string): Promise<CachedReads> =>
  CachedReads.start([Country], [], { redis: redis.url }, { database });

let database: string;

beforeEach(async () => {
  database = await createDatabase();
  reads = await start(database);
  await reads.write(`INSERT INTO countries VALUES (1, 'one'), (2, 'two')`);
  await reads.warm(() => byId.bind({ id: 1 }));
});

afterEach(async () => {
  for (const other of others.splice(0)) await other.stop();
  await reads.stop();
});

/** A write that the cache does not see. */
async function writeUnseen(sql: string): Promise<void> {
  const { driver } = reads.app.source;
  const pool = (driver as unknown as { master: { query(sql: string): Promise<unknown> } }).master;
  await pool.query(sql);
}

describe('run(query, { fresh: true })', () => {
  it('runs the query although its answer is stored, and stores the answer for all instances', async () => {
    await reads.warm(() => byId.bind({ id: 1 }));
    await writeUnseen(`UPDATE countries SET name = 'uno' WHERE id = 1`);
    const { cache } = reads.app;
    expect(await cache.run(byId.bind({ id: 1 }))).toEqual({ name: 'one' });
    const seen = await reads.app.observe(() => cache.run(byId.bind({ id: 1 }), { fresh: true }));
    expect(seen).toEqual({ value: { name: 'uno' }, outcomes: ['miss'] });
    await reads.expectHit(() => byId.bind({ id: 1 }), { name: 'uno' });
    // The entry reaches Redis in the background: an instance that has read before keeps the one from before.
    await eventually(async () => {
      const other = await start(database);
      others.push(other);
      expect(await other.warm(() => byId.bind({ id: 1 }))).toEqual({ name: 'uno' });
    });
  });

  it('does not store a query that is not cacheable', async () => {
    const run = () => reads.app.cache.run(moment, { fresh: true });
    expect((await reads.app.observe(run)).outcomes).toEqual(['bypass']);
  });
});

describe('warm', () => {
  it('fills what is not stored yet, and reports each query by its outcome', async () => {
    const { cache } = reads.app;
    const queries = [byId.bind({ id: 1 }), byId.bind({ id: 2 }), moment, broken];
    expect(await cache.warm(queries, { concurrency: 2, for: 'run' })).toEqual({
      present: 1,
      filled: 1,
      uncacheable: 1,
      failures: [{ query: 'broken', error: expect.any(Error) }],
    });
    await reads.expectHit(() => byId.bind({ id: 2 }), { name: 'two' });
    expect(await cache.warm([byId.bind({ id: 2 })], { for: 'routes' })).toMatchObject({
      filled: 1,
    });
    expect(await cache.warm([byId.bind({ id: 2 })])).toMatchObject({ present: 1 });
    // Routes get values of a query with an inline `map`, as `run` does.
    const mapped = findQuery(Country, {}, { map: ({ name }) => name });
    expect(await cache.warm([mapped], { for: 'routes' })).toMatchObject({ filled: 1 });
    expect((await reads.read(mapped)).outcome).toBe('hit');
  });

  it('runs at most `concurrency` queries at once', async () => {
    let [running, most] = [0, 0];
    const slow = defineQuery({
      name: 'slow',
      build: (source, { id }: { id: number }) =>
        source
          .getRepository(Country)
          .createQueryBuilder('c')
          .where('c.id = :id', { id })
          .comment(`slow ${id}`),
    });
    const { source, cache } = reads.app;
    source.subscribers.push({
      beforeQuery: ({ query }: { query: string }) => {
        if (query.includes('slow')) most = Math.max(most, (running += 1));
      },
      afterQuery: ({ query }: { query: string }) => {
        if (query.includes('slow')) running -= 1;
      },
    });
    const queries = Array.from({ length: 9 }, (_, id) => slow.bind({ id: id + 10 }));
    await cache.warm(queries, { concurrency: 3, for: 'run' });
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(3);
  });

  it('waits for the end of a write under way', async () => {
    await reads.app.source.transaction(async (manager) => {
      await manager.query(`UPDATE countries SET name = 'eins' WHERE id = 1`);
    });
    expect(await reads.app.cache.warm([byId.bind({ id: 1 })])).toMatchObject({ filled: 1 });
    await eventually(() => reads.expectHit(() => byId.bind({ id: 1 }), { name: 'eins' }));
  });
});
