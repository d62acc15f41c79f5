/** Fills that begin before the versions are known. */
import { expect, it } from '@jest/globals';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { setUp } from './support/protocols.js';

const AFTER = 3;

/** Reads of a query that has deserved a head start; `slowly` makes both stores slow. */
async function proven(headStartAfter = AFTER) {
  const made = setUp({ headStartAfter });
  const { store, entries, read, database } = made;
  // By the first of them the stamps become known.
  for (let i = 0; i <= AFTER; i += 1)
    expect(await read({ key: `${i}` })).toEqual(['miss', 'rows 0']);
  const slowly = (): (() => void) => {
    let goOn!: () => void;
    store.hold = entries.hold = new Promise((resolve) => (goOn = resolve));
    return () => {
      store.hold = entries.hold = undefined;
      goOn();
    };
  };
  /** How many of these keys, asked for at once, are sent before the versions are known. */
  const sentAhead = async (...keys: readonly string[]): Promise<number> => {
    const before = database.selects;
    const goOn = slowly();
    const all = keys.map((key) => read({ key }));
    await nextTurn();
    const sent = database.selects - before;
    goOn();
    await Promise.all(all);
    return sent;
  };
  return { ...made, slowly, sentAhead, selectsBefore: database.selects };
}

it('sends the query before the versions are known, and stores the answer', async () => {
  const { slowly, read, database, selectsBefore } = await proven();
  const goOn = slowly();
  const reading = read();
  await nextTurn();
  expect(database.selects).toBe(selectsBefore + 1);
  goOn();
  expect(await reading).toEqual(['miss', 'rows 0']);
  expect(await read()).toEqual(['hit', 'rows 0']);
  expect(database.selects).toBe(selectsBefore + 1);
});

it('waits for the versions where that is not worthwhile yet', async () => {
  const { slowly, read, database, selectsBefore } = await proven(AFTER + 1);
  const goOn = slowly();
  const reading = read();
  await nextTurn();
  expect(database.selects).toBe(selectsBefore);
  goOn();
  expect(await reading).toEqual(['miss', 'rows 0']);
});

it('runs the query again where the versions have changed meanwhile', async () => {
  const { slowly, read, database, begin, ended, selectsBefore } = await proven();
  const goOn = slowly();
  const reading = read();
  await nextTurn();
  const write = await begin();
  database.rows = 'rows 1';
  await ended(write);
  goOn();
  expect(await reading).toEqual(['miss', 'rows 1']);
  expect(await read()).toEqual(['hit', 'rows 1']);
  expect(database.selects).toBe(selectsBefore + 2);
});

it('has to prove anew that it is worthwhile after a head start in vain', async () => {
  const { slowly, sentAhead, read, begin, ended } = await proven();
  const vain = slowly();
  const reading = read();
  await ended(await begin());
  vain();
  await reading;
  expect(await sentAhead('next')).toBe(0);
});

it('answers the request that sent it while a write is under way, and nobody who came later', async () => {
  const { slowly, read, database, begin, selectsBefore } = await proven();
  const goOn = slowly();
  const first = read();
  await nextTurn();
  await begin();
  database.rows = 'rows 1';
  const second = read();
  goOn();
  expect(await first).toEqual(['bypass', 'rows 0']);
  expect(await second).toEqual(['bypass', 'rows 1']);
  expect(database.selects).toBe(selectsBefore + 2);
});

it('is shared by those who come while it is under way', async () => {
  const { slowly, read, database, selectsBefore } = await proven();
  const goOn = slowly();
  const all = Array.from({ length: 5 }, () => read());
  await nextTurn();
  goOn();
  for (const answer of await Promise.all(all)) expect(answer).toEqual(['miss', 'rows 0']);
  expect(database.selects).toBe(selectsBefore + 1);
});

it('fails as any fill does, and the next one runs', async () => {
  const { slowly, read } = await proven();
  const goOn = slowly();
  const failing = read({ run: () => Promise.reject(new Error('too many connections')) });
  await nextTurn();
  goOn();
  await expect(failing).rejects.toThrow('too many connections');
  expect(await read()).toEqual(['miss', 'rows 0']);
});

it('is one for all who come before it has been answered', async () => {
  const { read, database } = await proven();
  // As many head starts at once would be worthwhile.
  for (let i = 0; i < 20 * AFTER; i += 1) await read({ key: `proof ${i}` });
  const selectsBefore = database.selects;
  let goOn!: () => void;
  database.hold = new Promise((resolve) => (goOn = resolve));
  const all: Promise<[string, string]>[] = [];
  for (let i = 0; i < 20; i += 1) {
    all.push(read());
    await nextTurn();
  }
  goOn();
  for (const answer of await Promise.all(all)) expect(answer).toEqual(['miss', 'rows 0']);
  expect(database.selects).toBe(selectsBefore + 1);
});

it('is given to as many at once as were proven so many times over', async () => {
  const { sentAhead, database, selectsBefore } = await proven();
  expect(await sentAhead('a', 'b', 'c')).toBe(1);
  // Of three and three misses.
  expect(await sentAhead('d', 'e', 'f')).toBe(2);
  expect(database.selects).toBe(selectsBefore + 6);
});

it('is given to no query that must not run twice at once', async () => {
  const { slowly, read, database, selectsBefore } = await proven();
  const goOn = slowly();
  const reading = read({ isRepeatable: false });
  await nextTurn();
  expect(database.selects).toBe(selectsBefore);
  goOn();
  await reading;
});

it('that has failed is no answer for those who come later', async () => {
  const { slowly, read } = await proven();
  const goOn = slowly();
  const failing = read({ run: () => Promise.reject(new Error('too many connections')) });
  await nextTurn();
  const goOnLater = slowly();
  const later = read();
  goOn();
  await expect(failing).rejects.toThrow('too many connections');
  goOnLater();
  expect(await later).toEqual(['miss', 'rows 0']);
});

it('in vain counts as such also where its query fails afterwards', async () => {
  const { slowly, sentAhead, read, begin, ended } = await proven();
  const goOn = slowly();
  let runs = 0;
  const failing = read({
    run: async () => {
      runs += 1;
      throw new Error('too many connections');
    },
  });
  await ended(await begin());
  goOn();
  await expect(failing).rejects.toThrow('too many connections');
  expect(runs).toBe(2);
  expect(await sentAhead('next')).toBe(0);
});

it('is not given where the fill is under way', async () => {
  const { read, database, begin, ended } = await proven();
  for (let i = 0; i < 9 * AFTER; i += 1) await read({ key: `proof ${i}` });
  await ended(await begin());
  await read({ key: 'learns the new versions' });
  let goOn!: () => void;
  database.hold = new Promise((resolve) => (goOn = resolve));
  const selectsBefore = database.selects;
  const first = read();
  await nextTurn();
  const second = read();
  await nextTurn();
  goOn();
  expect(await Promise.all([first, second])).toEqual([
    ['miss', 'rows 0'],
    ['miss', 'rows 0'],
  ]);
  expect(database.selects).toBe(selectsBefore + 1);
});
