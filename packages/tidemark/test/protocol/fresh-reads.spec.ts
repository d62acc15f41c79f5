/** Reads that no stored answer may answer. */
import { expect, it } from 'vitest';
import { setUp } from './support/protocols.js';

const TO_STORE = { fresh: 'store' } as const;

it('runs the query although its answer is stored, and stores the new answer', async () => {
  const { read, database } = setUp();
  await read();
  database.rows = 'changed where no trigger reports it';
  expect(await read()).toEqual(['hit', 'rows 0']);
  expect(await read(TO_STORE)).toEqual(['miss', database.rows]);
  expect(await read()).toEqual(['hit', database.rows]);
});

it('does not share a fill that began before it', async () => {
  const { read, database } = setUp();
  let release: () => void = () => undefined;
  database.hold = new Promise((resolve) => (release = resolve));
  const before = read();
  while (database.selects === 0) await new Promise(setImmediate);
  database.hold = undefined;
  database.rows = 'rows 1';
  expect(await read(TO_STORE)).toEqual(['miss', 'rows 1']);
  release();
  expect(await before).toEqual(['miss', 'rows 0']);
});

it('stores nothing, and leaves what is stored, if it must not be stored', async () => {
  const { read, database } = setUp();
  const notStored = { fresh: 'no-store' } as const;
  expect(await read(notStored)).toEqual(['bypass', 'rows 0']);
  expect(await read()).toEqual(['miss', 'rows 0']);
  database.rows = 'rows 1';
  expect(await read(notStored)).toEqual(['bypass', 'rows 1']);
  expect(await read()).toEqual(['hit', 'rows 0']);
});

it('is not stored while a write may commit', async () => {
  const { read, begin, ended } = setUp();
  await read();
  const write = await begin();
  expect(await read(TO_STORE)).toEqual(['bypass', 'rows 0']);
  await ended(write);
  expect(await read()).toEqual(['miss', 'rows 0']);
});

it('is not stored for readers of the state after a write that ended while its query ran', async () => {
  const { read, begin, ended, database } = setUp();
  let release: () => void = () => undefined;
  database.hold = new Promise((resolve) => (release = resolve));
  const fresh = read(TO_STORE);
  while (database.selects === 0) await new Promise(setImmediate);
  await ended(await begin());
  database.hold = undefined;
  database.rows = 'rows 1';
  release();
  expect(await fresh).toEqual(['miss', 'rows 0']);
  expect(await read()).toEqual(['miss', 'rows 1']);
});
