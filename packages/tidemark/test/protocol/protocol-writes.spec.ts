/** Answers of the read protocol during writes. */
import { describe, expect, it } from 'vitest';
import { settled } from './support/manual-time.js';
import { setUp, USERS } from './support/protocols.js';

describe('the read protocol', () => {
  it('never serves rows that a write changed while they were being read', async () => {
    const { read, begin, ended, database } = setUp();
    let release: () => void = () => undefined;
    database.hold = new Promise((resolve) => {
      release = resolve;
    });
    const slow = read(); // T0: the stamp is read, the SELECT has the old rows
    await settled();
    const publishedWrite = await begin(); // T1
    database.rows = 'rows 1'; // T2: COMMIT
    await ended(publishedWrite); // T3
    release();
    database.hold = undefined;
    expect(await slow).toEqual(['miss', 'rows 0']); // T4: stored under the stamp of T0
    expect(await read()).toEqual(['miss', 'rows 1']);
    expect(database.selects).toBe(2);
  });

  it('neither serves nor stores while a write may commit', async () => {
    const { read, begin, ended, database } = setUp();
    await read();
    const publishedWrite = await begin();
    expect(await read()).toEqual(['bypass', 'rows 0']);
    database.rows = 'rows 1';
    expect(await read()).toEqual(['bypass', 'rows 1']);
    await ended(publishedWrite);
    expect(await read()).toEqual(['miss', 'rows 1']);
    expect(await read()).toEqual(['hit', 'rows 1']);
  });

  it('keeps serving regions outside the write set', async () => {
    const { read, begin, database } = setUp();
    await read();
    await begin(['*', 'region=EU']);
    expect(await read()).toEqual(['hit', 'rows 0']);
    expect(database.selects).toBe(1);
  });

  it('ignores a rolled back write and serves again after it', async () => {
    const { read, begin, writes } = setUp();
    await read();
    writes.abort(await begin());
    await new Promise((resolve) => setImmediate(resolve));
    expect(await read()).toEqual(['miss', 'rows 0']);
    expect(await read()).toEqual(['hit', 'rows 0']);
  });

  it('does not share a fill that began before a write with requests after it', async () => {
    const { read, begin, ended, database } = setUp();
    let release: () => void = () => undefined;
    database.hold = new Promise((resolve) => {
      release = resolve;
    });
    const slow = read();
    await settled();
    const publishedWrite = await begin();
    database.rows = 'rows 1';
    await ended(publishedWrite);
    database.hold = undefined;
    expect(await read()).toEqual(['miss', 'rows 1']);
    release();
    await slow;
    expect(await read()).toEqual(['miss', 'rows 1']); // the slow fill overwrote the entry
    expect(await read()).toEqual(['hit', 'rows 1']);
  });

  it('reuses versions for as long as it is configured to, and no longer', async () => {
    const { read, begin, ended, clock, database } = setUp({ maxStalenessMs: 100 });
    await read();
    await read(); // verified now
    await ended(await begin());
    database.rows = 'rows 1';
    expect(await read()).toEqual(['hit', 'rows 0']);
    clock.ms += 100;
    expect(await read()).toEqual(['miss', 'rows 1']);
  });

  it('ends an answer without a row by a write that names its key, and by no other', async () => {
    const { read, begin, ended, database } = setUp();
    const tables = [{ table: USERS, names: ['id=7', 'id?'] }];
    const dependencies = { tables, completeRowCount: 1 };
    database.rowCount = 0;
    await read({ dependencies });
    await ended(await begin(['*', 'id=8']));
    expect(await read({ dependencies })).toEqual(['hit', 'rows 0']);
    await ended(await begin(['*', 'id=7']));
    expect(await read({ dependencies })).toEqual(['miss', 'rows 0']);
  });
});
