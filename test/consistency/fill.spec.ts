/** One fill among instances, over one lock and one entry store. */
import { describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock, systemTimers } from '../../src/query-cache/core/clock.js';
import {
  EntryStore,
  type CacheEntry,
  type FillLock,
} from '../../src/query-cache/core/entry-store.js';
import { FillCoordinator, type SharedFill } from '../../src/query-cache/core/fill-coordinator.js';
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

const KEY = 'k';

const entry: CacheEntry = {
  stamp: 's',
  body: Buffer.from('rows'),
  empty: false,
  tag: 't',
  createdAtMs: 0,
  expiresAtMs: Infinity,
  headers: {},
};

function setUp<L extends FillLock = MemoryFillLock>(
  options: { leaseMs?: number; maxWaitMs?: number } = {},
  lock: L = new MemoryFillLock() as FillLock as L,
) {
  const entries = new SharedEntries();
  const failures: string[] = [];
  const fills = { count: 0 };
  let instances = 0;
  const coordinator = () =>
    new FillCoordinator(
      {
        entries,
        lock,
        owner: `instance ${(instances += 1)}`,
        clock: systemClock,
        timers: systemTimers,
        onStoreFailure: (operation) => failures.push(operation),
      },
      { leaseMs: options.leaseMs ?? 60_000, maxWaitMs: options.maxWaitMs ?? 60_000, pollMs: 1 },
    );
  const sharedFill = (fill: () => Promise<CacheEntry | undefined>): SharedFill => ({
    key: KEY,
    lock: undefined,
    accepts: ({ stamp }) => stamp === 's',
    fill: () => {
      fills.count += 1;
      return fill();
    },
  });
  const instance = (fill: () => Promise<CacheEntry | undefined>) => {
    const own = coordinator();
    return () => own.run(sharedFill(fill));
  };
  return { entries, lock, failures, fills, coordinator, sharedFill, instance };
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
    expect(await lock.acquire(KEY, 'dead', 10)).toBe(true);
    expect(await instance(async () => entry)()).toBeUndefined();
    expect(fills.count).toBe(1);
  });

  it('is waited for only so long', async () => {
    const { lock, instance, fills, entries } = setUp({ maxWaitMs: 10 });
    expect(await lock.acquire(KEY, 'slow', 60_000)).toBe(true);
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

  it('is not waited for by the process that holds the lock already', async () => {
    const { coordinator, sharedFill, fills } = setUp();
    const own = coordinator();
    let finish: (value: CacheEntry) => void = () => undefined;
    const first = own.run(sharedFill(() => new Promise((resolve) => (finish = resolve))));
    await own.run(sharedFill(async () => ({ ...entry, stamp: 'later' })));
    expect(fills.count).toBe(2);
    finish(entry);
    await first;
  });

  describe('whose lock was asked for with the look at the entry', () => {
    class LocksWithLook extends MemoryFillLock {
      readonly asked: string[] = [];

      override acquireUnlessStored(
        key: string,
        owner: string,
        leaseMs: number,
      ): Promise<boolean | 'has-entry'> {
        this.asked.push('with the look');
        return super.acquire(key, owner, leaseMs);
      }

      override acquire(key: string, owner: string, leaseMs: number): Promise<boolean> {
        this.asked.push('alone');
        return super.acquire(key, owner, leaseMs);
      }
    }

    const withLook = () => {
      const world = setUp({}, new LocksWithLook());
      return { ...world, fill: world.sharedFill(async () => entry) };
    };

    it('fills under it without asking again, and gives it back', async () => {
      const { lock, coordinator, fill, entries, fills } = withLook();
      const own = coordinator();
      const look = own.look(KEY);
      expect(await look.entry).toBeUndefined();
      expect(await own.run({ ...fill, lock: look.takeLock() })).toBeUndefined();
      look.drop();
      await delay(1);
      expect(lock.asked).toEqual(['with the look']);
      expect([fills.count, entries.stored.size]).toEqual([1, 1]);
      expect(await lock.acquire(KEY, 'another', 1)).toBe(true);
    });

    it.each([false, 'has-entry'] as const)('asks again after the answer %s', async (answer) => {
      const { lock, coordinator, fill, fills } = withLook();
      lock.acquireUnlessStored = () => Promise.resolve(answer);
      const own = coordinator();
      const lockOfLook = own.look(KEY).takeLock();
      expect(await own.run({ ...fill, lock: lockOfLook })).toBeUndefined();
      expect([lock.asked, fills.count]).toEqual([['alone'], 1]);
    });

    it('gives the lock back where no fill follows, once', async () => {
      const { lock, coordinator } = withLook();
      const released: string[] = [];
      const release = lock.release.bind(lock);
      lock.release = (key, owner) => {
        released.push(owner);
        return release(key, owner);
      };
      const look = coordinator().look(KEY);
      look.withoutLock().drop();
      look.drop();
      look.drop();
      await delay(1);
      expect(released).toEqual(['instance 1']);
      expect(look.takeLock()).toBeUndefined();
    });
  });

  it('takes no entry with another stamp', async () => {
    const { entries, instance, fills } = setUp();
    await entries.set('k', { ...entry, stamp: 'old' });
    expect(await instance(async () => entry)()).toBeUndefined();
    expect(fills.count).toBe(1);
  });
});
