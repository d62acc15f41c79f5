/** Answers of the read protocol when a writer dies or the versions are out of reach. */
import { describe, expect, it } from 'vitest';
import { eventually } from '../../../../test/support/eventually.js';
import { settled } from './support/manual-time.js';
import { LEASE_MS, setUp } from './support/protocols.js';

describe('the read protocol', () => {
  it('settles the mark of a dead writer only once its transaction has ended', async () => {
    const { read, begin, clock, writers, database } = setUp();
    await read();
    await begin(['*', 'region=US'], 42);
    writers.running.set(42, 'xid 1'); // the COMMIT still waits in the server
    clock.ms += LEASE_MS + 1;
    expect(await read()).toEqual(['bypass', 'rows 0']);
    await settled();
    clock.ms += LEASE_MS + 100; // the renewed lease has run out as well
    expect(await read()).toEqual(['bypass', 'rows 0']);
    await settled();
    database.rows = 'rows 1';
    writers.running.clear();
    clock.ms += LEASE_MS + 100;
    expect(await read()).toEqual(['bypass', 'rows 1']);
    await settled();
    expect(await read()).toEqual(['miss', 'rows 1']);
  });

  it('treats another transaction of the same backend as the end of the marked one', async () => {
    const { read, begin, clock, writers } = setUp();
    await read();
    await begin(['*', 'region=US'], 42);
    for (const transaction of ['xid 1', 'xid 2']) {
      writers.running.set(42, transaction);
      clock.ms += LEASE_MS + 100;
      expect(await read()).toEqual(['bypass', 'rows 0']);
      await settled();
    }
    expect(await read()).toEqual(['miss', 'rows 0']);
  });

  it('goes to the database while versions cannot be read, and distrusts its entries', async () => {
    const { read, store, gate, database } = setUp();
    await read();
    store.away.add(0);
    gate.distrust(0);
    expect(await read()).toEqual(['bypass', 'rows 0']);
    database.rows = 'rows 1'; // written by an instance that could not publish it
    store.away.delete(0);
    expect(await read()).toEqual(['miss', 'rows 1']);
    expect(await read()).toEqual(['hit', 'rows 1']);
  });

  it('does not trust a new epoch before writers with lost marks have ended', async () => {
    const { read, gate, writers, database } = setUp();
    await read();
    writers.running.set(42, 'xid 1');
    gate.distrust(0);
    expect(await read()).toEqual(['bypass', 'rows 0']);
    database.rows = 'rows 1';
    expect(await read()).toEqual(['bypass', 'rows 1']);
    writers.running.clear();
    await eventually(async () => expect(await read()).toEqual(['miss', 'rows 1']));
  });

  it('publishes an unpublished write as soon as the store answers', async () => {
    const { read, begin, writes, store, database } = setUp();
    await read();
    store.away.add(0);
    const publishedWrite = await begin();
    database.rows = 'rows 1';
    store.away.delete(0);
    writes.end(publishedWrite);
    await settled();
    expect(await read()).toEqual(['miss', 'rows 1']);
  });

  it('refuses a write that can neither be published nor recorded', async () => {
    const { begin, store } = setUp();
    store.away.add(0);
    const record = (): Promise<void> => Promise.reject(new Error('no outbox'));
    await expect(begin(['*'], 7, record)).rejects.toThrow('refused');
  });
});
