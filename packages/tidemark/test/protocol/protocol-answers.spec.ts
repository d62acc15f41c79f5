/** Which queries the read protocol runs, stores and shares while there are no writes. */
import { describe, expect, it } from 'vitest';
import { setUp, USERS } from './support/protocols.js';

describe('the read protocol', () => {
  it('runs the query once and then answers from memory', async () => {
    const { read, database } = setUp();
    expect(await read()).toEqual(['miss', 'rows 0']);
    expect(await read()).toEqual(['hit', 'rows 0']);
    expect(database.selects).toBe(1);
  });

  it('shares one fill among simultaneous requests', async () => {
    const { read, database } = setUp();
    const answers = await Promise.all(Array.from({ length: 20 }, () => read()));
    expect(new Set(answers.map(([, body]) => body))).toEqual(new Set(['rows 0']));
    expect(database.selects).toBe(1);
  });

  it('does not keep a failure, and fills for later requests', async () => {
    const { read } = setUp();
    const fail = (): Promise<never> => Promise.reject(new Error('too many connections'));
    await expect(read({ run: fail })).rejects.toThrow('too many connections');
    expect(await read()).toEqual(['miss', 'rows 0']);
  });

  it('does not store an answer over the size limit', async () => {
    const { read, database } = setUp({ maxEntryBytes: 3 });
    expect(await read()).toEqual(['miss', 'rows 0']);
    expect(await read()).toEqual(['miss', 'rows 0']);
    expect(database.selects).toBe(2);
  });

  it('drops the versions that it has created where nothing is stored, and no others', async () => {
    const { read, store } = setUp({ maxEntryBytes: 3 });
    const versions = async () =>
      (await store.read([{ table: USERS, names: ['region=US', 'region?'] }]))[0]?.versions;
    await read();
    expect(await versions()).toEqual([undefined, expect.any(String)]);
    await store.create({ table: USERS, names: ['region=US'] }, 'of-another');
    await read();
    expect(await versions()).toEqual(['of-another', expect.any(String)]);
  });

  it('runs the query again after the time to live', async () => {
    const { read, clock } = setUp();
    await read();
    clock.ms += 60_001;
    expect(await read()).toEqual(['miss', 'rows 0']);
  });
});
