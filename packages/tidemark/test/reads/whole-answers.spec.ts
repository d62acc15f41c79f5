/** Real: PostgreSQL. `answer` of a definition maps the whole answer, and its result is stored. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, expect, it } from 'vitest';
import { defineQuery, ImpureQueryError, type BoundQuery } from '../../src/index.js';
import { CachedReads } from './cached-reads.js';
import { Country } from './fixtures/library.entities.js';

let reads: CachedReads | undefined;

afterEach(() => reads?.stop());

const start = async (verifyPlans?: number): Promise<CachedReads> =>
  (reads = await CachedReads.start(
    [Country],
    ["INSERT INTO countries VALUES (1, 'NZ'), (2, 'FR')"],
    { verifyPlans },
  ));

const find = () => ({ order: { id: 'ASC' } }) as const;
const page = defineQuery({
  name: 'page',
  shape: 'many-and-count',
  entity: Country,
  find,
  map: ({ name }) => name,
  headers: (names) => ({ 'x-names': names.join() }),
  answer: ([items, total]) => ({ items, total }),
});
const many = defineQuery({ name: 'index', entity: Country, find, answer: (all) => all.length });
const one = defineQuery({
  name: 'first',
  shape: 'one',
  entity: Country,
  find: ({ id }: { id: number }) => ({ where: { id } }),
  answer: (country) => ({ country }),
});
const count = defineQuery({
  name: 'size',
  shape: 'count',
  entity: Country,
  find,
  answer: (n) => ({ n }),
});
const exists = defineQuery({
  name: 'any',
  shape: 'exists',
  entity: Country,
  find,
  answer: (any) => (any ? 'yes' : 'no'),
});
const sql = defineQuery({
  name: 'top',
  sql: 'SELECT max(id) AS top FROM countries',
  answer: ([row]) => row?.['top'],
});

it.each<[string, () => BoundQuery, unknown]>([
  ['many-and-count', () => page.bind(), { items: ['NZ', 'FR'], total: 2 }],
  ['many', () => many.bind(), 2],
  ['one', () => one.bind({ id: 1 }), { country: { id: 1, name: 'NZ' } }],
  ['one, absent', () => one.bind({ id: 9 }), { country: null }],
  ['count', () => count.bind(), { n: 2 }],
  ['exists', () => exists.bind(), 'yes'],
  ['raw', () => sql.bind(), 2],
])('%s: is mapped once, and stored', async (_, make, value) => {
  const running = await start();
  expect(await running.warm(make)).toEqual(value);
  await running.write('DELETE FROM countries');
  const { value: second, outcome } = await running.read(make());
  expect(outcome).not.toBe('hit');
  if (make().name !== 'first' || value === undefined) expect(second).not.toEqual(value);
});

it('its text is part of the key', async () => {
  const running = await start();
  const other = defineQuery({
    name: 'index',
    entity: Country,
    find,
    answer: (all) => all.length * 2,
  });
  expect(await running.warm(() => many.bind())).toBe(2);
  expect(await running.warm(() => other.bind())).toBe(4);
});

const tenant = new AsyncLocalStorage<string>();
const leaking = defineQuery({
  name: 'leaking answer',
  shape: 'count',
  entity: Country,
  find: () => ({}),
  answer: (total) => ({ total, seenBy: tenant.getStore() }),
});

it('that reads more than its argument fails outside of production', async () => {
  const { app } = await start();
  const read = tenant.run('US', () => app.cache.run(leaking.bind()));
  await expect(read).rejects.toThrow(ImpureQueryError);
});

it('that reads more than its argument is not stored where a share is verified', async () => {
  const running = await start(0.999_999);
  for (const seenBy of ['US', 'EU']) {
    const read = tenant.run(seenBy, () => running.read(leaking.bind()));
    expect(await read).toMatchObject({ value: { total: 2, seenBy }, outcome: 'miss' });
  }
});
