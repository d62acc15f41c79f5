/** One fill among instances, over one lock and one entry store. */
import { describe, expect, it } from '@jest/globals';
import { systemClock, systemTimers } from '../../src/query-cache/core/clock.js';
import { EntryStore, type CacheEntry } from '../../src/query-cache/core/entry-store.js';
import { FillCoordinator } from '../../src/query-cache/core/fill-coordinator.js';
import { randomToken } from '../../src/query-cache/core/token.js';
import { MemoryFillLock } from '../../src/query-cache/stores/memory-fill-lock.js';

class SharedEntries extends EntryStore {
  readonly stored = new Map<string, CacheEntry>();

  override async get(key: string): Promise<CacheEntry | undefined> {
    return this.stored.get(key);
  }

  override async set(key: string, entry: CacheEntry): Promise<void> {
    this.stored.set(key, entry);
  }
}

const NAME = { key: 'k', stamp: 's' };

const entry: CacheEntry = {
  stamp: 's',
  body: Buffer.from('rows'),
  empty: false,
  tag: 't',
  createdAtMs: 0,
  expiresAtMs: Infinity,
  headers: {},
};

function setUp(options: { leaseMs?: number; maxWaitMs?: number } = {}) {
  const entries = new SharedEntries();
  const lock = new MemoryFillLock();
  const failures: string[] = [];
  const fills = { count: 0 };
  const instance = (fill: () => Promise<CacheEntry | undefined>) => {
    const coordinator = new FillCoordinator(
      entries,
      lock,
      randomToken,
      systemClock,
      systemTimers,
      { leaseMs: options.leaseMs ?? 60_000, maxWaitMs: options.maxWaitMs ?? 60_000, pollMs: 1 },
      (operation) => failures.push(operation),
    );
    return () =>
      coordinator.run({
        name: NAME,
        accepts: ({ stamp }) => stamp === 's',
        fill: () => {
          fills.count += 1;
          return fill();
        },
      });
  };
  return { entries, lock, failures, fills, instance };
}

describe('one fill among instances', () => {
  it('lets the others take the entry of the one that fills', async () => {
    const { instance, fills } = setUp();
    let finish: (value: CacheEntry) => void = () => undefined;
    const first = instance(() => new Promise((resolve) => (finish = resolve)))();
    const others = [instance(async () => entry)(), instance(async () => entry)()];
    await new Promise((resolve) => setTimeout(resolve, 10));
    finish(entry);
    expect(await first).toBeUndefined();
    expect(await Promise.all(others)).toEqual([entry, entry]);
    expect(fills.count).toBe(1);
  });

  it('does not fill again for one that looked just before the entry was stored', async () => {
    const { entries, instance, fills } = setUp();
    await entries.set('k', entry);
    expect(await instance(async () => entry)()).toEqual(entry);
    expect(fills.count).toBe(0);
    // The lock it took on the way was given back.
    entries.stored.clear();
    expect(await instance(async () => entry)()).toBeUndefined();
    expect(fills.count).toBe(1);
  });

  it('is taken over when it fails', async () => {
    const { instance, fills } = setUp();
    const failing = instance(async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      throw new Error('connection lost');
    })();
    const other = instance(async () => entry)();
    await expect(failing).rejects.toThrow('connection lost');
    expect(await other).toBeUndefined();
    expect(fills.count).toBe(2);
  });

  it('is taken over when its instance has died, once the lease has run out', async () => {
    const { lock, instance, fills } = setUp({ leaseMs: 10 });
    expect(await lock.acquire(NAME, 'dead', 10)).toBe(true);
    expect(await instance(async () => entry)()).toBeUndefined();
    expect(fills.count).toBe(1);
  });

  it('is waited for only so long', async () => {
    const { lock, instance, fills, entries } = setUp({ maxWaitMs: 10 });
    expect(await lock.acquire(NAME, 'slow', 60_000)).toBe(true);
    expect(await instance(async () => entry)()).toBeUndefined();
    expect(fills.count).toBe(1);
    // It held no lock, so it must not have stored over the other one.
    expect(entries.stored.size).toBe(0);
  });

  it('goes on alone without a lock when that cannot be had', async () => {
    const { lock, instance, fills, failures } = setUp();
    lock.acquire = () => Promise.reject(new Error('away'));
    expect(await instance(async () => entry)()).toBeUndefined();
    expect(fills.count).toBe(1);
    expect(failures).toContain('acquire');
  });

  it('takes no entry with another stamp', async () => {
    const { entries, instance, fills } = setUp();
    await entries.set('k', { ...entry, stamp: 'old' });
    expect(await instance(async () => entry)()).toBeUndefined();
    expect(fills.count).toBe(1);
  });
});
