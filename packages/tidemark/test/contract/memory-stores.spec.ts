import { describe, expect, it } from 'vitest';
import type { Clock } from '../../src/core/ports/clock.js';
import { MemoryFillLock } from '../../src/core/memory/memory-fill-lock.js';
import {
  MemoryVersionStore,
  TurnMemoryVersionStore,
} from '../../src/core/memory/memory-version-store.js';
import { NullEntryStore } from '../../src/core/memory/null-entry-store.js';
import { fillLockContract } from './fill-lock.contract.js';
import { versionStoreContract } from './version-store.contract.js';

class ManualClock implements Clock {
  #nowMs = 5_000;

  nowMs(): number {
    return this.#nowMs;
  }

  async pass(durationMs: number): Promise<void> {
    this.#nowMs += durationMs;
  }
}

const TABLE = 'public.users';

describe.each([MemoryVersionStore, TurnMemoryVersionStore])('%p', (Store) => {
  versionStoreContract(async () => {
    const clock = new ManualClock();
    return {
      store: new Store({ clock }),
      pass: (durationMs) => clock.pass(durationMs),
      close: async () => undefined,
    };
  });

  it('has another node id for each instance', async () => {
    const nodes = await Promise.all(
      [new Store(), new Store()].map(async (store) => {
        const [reading] = await store.read([{ table: TABLE, names: [] }]);
        return reading?.node;
      }),
    );
    expect(new Set(nodes).size).toBe(2);
  });

  it('drops the least recently used versions over its bound, but no marked one', async () => {
    const store = new Store({ maxVersions: 3 });
    await store.rotate(TABLE, undefined, 'e1');
    await store.create({ table: TABLE, names: ['id=1'] }, 't0');
    await store.begin(
      { writeId: 'w1', backendPid: 1, tables: [{ table: TABLE, names: ['id=1'] }] },
      't1',
      1_000,
    );
    for (const id of [2, 3]) await store.create({ table: TABLE, names: [`id=${id}`] }, 't2');
    await store.read([{ table: TABLE, names: ['id=2'] }]);
    const created = await store.create({ table: TABLE, names: ['id=4'] }, 't3');
    expect(created.versions).toEqual(['t3']);
    const names = ['id=1', 'id=2', 'id=3', 'id=4'];
    const [reading] = await store.read([{ table: TABLE, names }]);
    expect(reading?.versions).toEqual(['t1!w1', 't2', undefined, 't3']);
  });

  it('answers all versions of one step, even if they exceed its bound', async () => {
    const store = new Store({ maxVersions: 1 });
    await store.rotate(TABLE, undefined, 'e1');
    const reading = await store.create({ table: TABLE, names: ['id=1', 'id=2'] }, 't1');
    expect(reading.versions).toEqual(['t1', 't1']);
  });
});

describe('MemoryFillLock', () => {
  fillLockContract(async () => {
    const clock = new ManualClock();
    return {
      lock: new MemoryFillLock(clock),
      pass: (durationMs) => clock.pass(durationMs),
      close: async () => undefined,
    };
  });
});

describe('NullEntryStore', () => {
  it('stores nothing', async () => {
    const store = new NullEntryStore();
    await store.set();
    expect(await store.get()).toBeUndefined();
  });
});
