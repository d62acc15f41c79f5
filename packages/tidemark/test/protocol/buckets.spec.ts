/** A bucket of the version store that is away concerns the answers and writes of its own tables alone. */
import { describe, expect, it } from 'vitest';
import { eventually } from '../../../../test/support/eventually.js';
import { schemaDependency } from '../../src/core/schema-version.js';
import { ORDERS, setUp, USERS } from './support/protocols.js';

/** Users are in bucket 0, orders in bucket 1. */
function setUpShop() {
  const shop = setUp();
  const answerOn = (key: string, ...tables: readonly string[]) => ({
    key,
    dependencies: {
      tables: tables.map((table) => ({ table, names: ['*'] })),
      completeRowCount: undefined,
    },
  });
  const answers = {
    users: answerOn('users', USERS),
    orders: answerOn('orders', ORDERS),
    both: answerOn('both', USERS, ORDERS),
    neither: answerOn('neither'),
  };
  const readAll = async (): Promise<readonly string[]> => {
    const sources: string[] = [];
    for (const answer of Object.values(answers)) sources.push((await shop.read(answer))[0]);
    return sources;
  };
  /** A write that commits; resolves to the buckets in which it was recorded as unpublished. */
  const write = async (
    written: Parameters<typeof shop.writes.begin>[0],
  ): Promise<readonly number[]> => {
    const recorded: number[] = [];
    const published = await shop.writes.begin(written, 7, async (buckets) => {
      recorded.push(...buckets);
    });
    await shop.ended(published);
    return recorded;
  };
  return { ...shop, readAll, write };
}

const HITS = ['hit', 'hit', 'hit', 'hit'];

describe('while a bucket is away', () => {
  it('answers of the other buckets are hits, and those of its tables are queries', async () => {
    const { readAll, store, gate, database } = setUpShop();
    await readAll();
    store.away.add(1);
    gate.distrust(1);
    const { selects } = database;
    expect(await readAll()).toEqual(['hit', 'bypass', 'bypass', 'hit']);
    expect(database.selects).toBe(selects + 2);
  });

  it('a write to another bucket is published, and its answers are hits again', async () => {
    const { readAll, write, store, gate } = setUpShop();
    await readAll();
    store.away.add(1);
    gate.distrust(1);
    expect(await write([{ table: USERS, names: ['*'] }])).toEqual([]);
    expect(await readAll()).toEqual(['miss', 'bypass', 'bypass', 'hit']);
    expect(await readAll()).toEqual(['hit', 'bypass', 'bypass', 'hit']);
  });

  it('a write to tables of both is recorded for the bucket that is away, and published there later', async () => {
    const { readAll, write, store, gate } = setUpShop();
    await readAll();
    store.away.add(1);
    gate.distrust(1);
    const written = [USERS, ORDERS].map((table) => ({ table, names: ['*'] }));
    expect(await write(written)).toEqual([1]);
    expect(await readAll()).toEqual(['miss', 'bypass', 'bypass', 'hit']);
    store.away.delete(1);
    await eventually(async () => expect(await readAll()).toEqual(HITS));
  });
});

it('an autonomous statement ends in the other buckets, where one goes away meanwhile', async () => {
  const { readAll, writes, store, gate } = setUpShop();
  await readAll();
  const published = await writes.begin('schema', 7, () => Promise.resolve());
  store.away.add(1);
  gate.distrust(1);
  writes.endLong(published, 7);
  await writes.drain();
  expect(await readAll()).toEqual(['miss', 'bypass', 'bypass', 'miss']);
  expect(await readAll()).toEqual(['hit', 'bypass', 'bypass', 'hit']);
});

describe('a write to unknown tables', () => {
  it.each(['all-tables', 'schema'] as const)(
    'ends the answers of every bucket (%s)',
    async (written) => {
      const { readAll, write } = setUpShop();
      await readAll();
      expect(await readAll()).toEqual(HITS);
      expect(await write(written)).toEqual([]);
      expect(await readAll()).toEqual(['miss', 'miss', 'miss', 'miss']);
      expect(await readAll()).toEqual(HITS);
    },
  );

  it('that one bucket misses ends its answers by a process that never saw the outage, once it is back', async () => {
    const { readAll, write, store } = setUpShop();
    await readAll();
    const [before] = await store.read([schemaDependency(1)]);
    store.away.add(1);
    expect(await write('all-tables')).toEqual([1]);
    store.away.delete(1);
    await eventually(async () => {
      const [after] = await store.read([schemaDependency(1)]);
      expect(after?.epoch).not.toBe(before?.epoch);
    });
    await eventually(async () => expect(await readAll()).toEqual(HITS));
  });
});
