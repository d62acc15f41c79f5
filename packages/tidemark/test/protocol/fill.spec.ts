/** One fill among instances, over one lock and one entry store. */
import { describe, expect, it } from 'vitest';
import { systemClock, systemTimers } from '../../src/core/ports/clock.js';
import { EntryStore, type CacheEntry, type FillLock } from '../../src/core/ports/entry-store.js';
import {
  DistributedSingleFlight,
  type SharedFill,
} from '../../src/core/distributed-single-flight.js';
import { MemoryFillLock } from '../../src/core/memory/memory-fill-lock.js';
import { settled } from './support/manual-time.js';

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
    new DistributedSingleFlight(
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
  const sharedFill = (fill: () => Promise<CacheEntry>): SharedFill => ({
    key: KEY,
    accepts: ({ stamp }) => stamp === 's',
    fill: async () => {
      fills.count += 1;
      return { entry: await fill(), refusal: undefined };
    },
  });
  const instance = (fill: () => Promise<CacheEntry>) => {
    const own = coordinator();
    return async () => (await own.run(sharedFill(fill))).stored;
  };
  return { entries, lock, failures, fills, coordinator, sharedFill, instance };
}

describe('one fill among instances', () => {
  it('lets the other instances take the entry of the filling one', async () => {
    const { instance, fills } = setUp();
    let finish: (value: CacheEntry) => void = () => undefined;
    const first = instance(() => new Promise((resolve) => (finish = resolve)))();
    const others = [instance(async () => entry)(), instance(async () => entry)()];
    await settled();
    finish(entry);
    expect(await first).toBeUndefined();
    expect(await Promise.all(others)).toEqual([entry, entry]);
    expect(fills.count).toBe(1);
  });

  it('does not fill again for a request that read just before the entry was stored', async () => {
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
      await settled();
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

  it('goes on without a lock when the lock cannot be taken', async () => {
    const { lock, instance, fills, failures } = setUp();
    lock.acquire = () => Promise.reject(new Error('away'));
    expect(await instance(async () => entry)()).toBeUndefined();
    expect(fills.count).toBe(1);
    expect(failures).toContain('acquire');
  });

  it('is not waited for by the process that already holds the lock', async () => {
    const { coordinator, sharedFill, fills } = setUp();
    const own = coordinator();
    let finish: (value: CacheEntry) => void = () => undefined;
    const first = own.run(sharedFill(() => new Promise((resolve) => (finish = resolve))));
    await own.run(sharedFill(async () => ({ ...entry, stamp: 'later' })));
    expect(fills.count).toBe(2);
    finish(entry);
    await first;
  });

  describe('whose entry and lock were asked for before the stamp was known', () => {
    class LocksAhead extends MemoryFillLock {
      readonly asked: string[] = [];
      readonly released: string[] = [];

      override acquireUnlessStored(
        key: string,
        owner: string,
        leaseMs: number,
      ): Promise<boolean | undefined> {
        this.asked.push('ahead');
        return super.acquire(key, owner, leaseMs);
      }

      override acquire(key: string, owner: string, leaseMs: number): Promise<boolean> {
        this.asked.push('for the fill');
        return super.acquire(key, owner, leaseMs);
      }

      override release(key: string, owner: string): Promise<void> {
        this.released.push(owner);
        return super.release(key, owner);
      }
    }

    const setUpAhead = () => {
      const world = setUp({}, new LocksAhead());
      return { ...world, own: world.coordinator(), fill: world.sharedFill(async () => entry) };
    };

    it('fills under that lock without asking again, and releases it once', async () => {
      const { lock, own, fill, entries, fills } = setUpAhead();
      const drop = own.lookAhead(KEY);
      expect((await own.run(fill)).stored).toBeUndefined();
      drop();
      await settled();
      expect([lock.asked, lock.released]).toEqual([['ahead'], ['instance 1']]);
      expect([fills.count, entries.stored.size]).toEqual([1, 1]);
    });

    it('takes the entry without a lock', async () => {
      const { lock, own, fill, entries, fills } = setUpAhead();
      await entries.set(KEY, entry);
      lock.acquireUnlessStored = () => Promise.resolve(undefined);
      own.lookAhead(KEY);
      expect(await own.run(fill)).toEqual({ stored: entry, hasWaited: false });
      expect([lock.asked, lock.released, fills.count]).toEqual([[], [], 0]);
    });

    it.each([false, undefined])('asks again after the answer %s', async (answer) => {
      const { lock, own, fill, fills } = setUpAhead();
      lock.acquireUnlessStored = () => Promise.resolve(answer);
      own.lookAhead(KEY);
      expect((await own.run(fill)).stored).toBeUndefined();
      expect([lock.asked, fills.count]).toEqual([['for the fill'], 1]);
    });

    it('releases the lock once where no fill follows', async () => {
      const { lock, own } = setUpAhead();
      const [first, second] = [own.lookAhead(KEY), own.lookAhead(KEY)];
      for (const drop of [second, first, first]) drop();
      await settled();
      expect([lock.asked, lock.released]).toEqual([['ahead'], ['instance 1']]);
    });

    it('keeps the lock of a fill under way from requests that come meanwhile', async () => {
      const { lock, own, sharedFill } = setUpAhead();
      let finish: (value: CacheEntry) => void = () => undefined;
      const running = own.run(sharedFill(() => new Promise((resolve) => (finish = resolve))));
      await settled();
      own.lookAhead(KEY)();
      await settled();
      expect([lock.asked, lock.released]).toEqual([['for the fill'], []]);
      finish(entry);
      await running;
    });

    it('takes the lock itself for the second of two fills under different stamps', async () => {
      const { lock, own, sharedFill, fill, entries, fills } = setUpAhead();
      own.lookAhead(KEY);
      let finish: (value: CacheEntry) => void = () => undefined;
      const first = own.run(sharedFill(() => new Promise((resolve) => (finish = resolve))));
      await own.run(fill);
      expect([lock.asked, fills.count]).toEqual([['ahead', 'for the fill'], 2]);
      finish(entry);
      await first;
      expect(entries.stored.size).toBe(1);
    });

    it('releases the lock of a request that came while the last of two fills ran', async () => {
      const { lock, own, sharedFill, fill } = setUpAhead();
      let finish: (value: CacheEntry) => void = () => undefined;
      const running = own.run(sharedFill(() => new Promise((resolve) => (finish = resolve))));
      await own.run(fill);
      const drop = own.lookAhead(KEY);
      finish(entry);
      await running;
      await settled();
      const before = lock.released.length;
      drop();
      await settled();
      expect(lock.released).toHaveLength(before + 1);
    });
  });

  it('takes no entry with another stamp', async () => {
    const { entries, instance, fills } = setUp();
    await entries.set('k', { ...entry, stamp: 'old' });
    expect(await instance(async () => entry)()).toBeUndefined();
    expect(fills.count).toBe(1);
  });
});
