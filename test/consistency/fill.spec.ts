/** One fill among instances, over one lock and one entry store. */
import { describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock, systemTimers } from '../../src/query-cache/core/clock.js';
import {
  EntryStore,
  type CacheEntry,
  type FillLock,
  type FillName,
} from '../../src/query-cache/core/entry-store.js';
import { FillCoordinator, type SharedFill } from '../../src/query-cache/core/fill-coordinator.js';
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

function setUp<L extends FillLock = MemoryFillLock>(
  options: { leaseMs?: number; maxWaitMs?: number } = {},
  lock: L = new MemoryFillLock() as FillLock as L,
) {
  const entries = new SharedEntries();
  const failures: string[] = [];
  const fills = { count: 0 };
  const coordinator = () =>
    new FillCoordinator(
      entries,
      lock,
      randomToken,
      systemClock,
      systemTimers,
      { leaseMs: options.leaseMs ?? 60_000, maxWaitMs: options.maxWaitMs ?? 60_000, pollMs: 1 },
      (operation) => failures.push(operation),
    );
  const sharedFill = (fill: () => Promise<CacheEntry | undefined>): SharedFill => ({
    name: NAME,
    accepts: ({ stamp }) => stamp === 's',
    fill: () => {
      fills.count += 1;
      return fill();
    },
  });
  const instance = (fill: () => Promise<CacheEntry | undefined>) => {
    const own = coordinator();
    return async () => (await own.run(sharedFill(fill))).stored;
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

  describe('whose lock was asked for early', () => {
    class EarlyLocks extends MemoryFillLock {
      answer: boolean | 'stored' = true;
      readonly released: string[] = [];

      override acquireEarly(): Promise<boolean | 'stored'> {
        return Promise.resolve(this.answer);
      }

      override async release(name: FillName, owner: string): Promise<void> {
        this.released.push(owner);
        await super.release(name, owner);
      }
    }

    function early() {
      const lock = new EarlyLocks();
      const acquired: string[] = [];
      const acquire = lock.acquire.bind(lock);
      lock.acquire = (name, owner, leaseMs) => {
        acquired.push(owner);
        return acquire(name, owner, leaseMs);
      };
      const world = setUp({}, lock);
      return { ...world, acquired, fill: world.sharedFill(async () => entry) };
    }

    it('fills at once under it, and gives it back', async () => {
      const { lock, acquired, coordinator, fill, entries, fills } = early();
      const held = coordinator().acquireEarly(NAME);
      expect((await coordinator().run({ ...fill, early: held })).stored).toBeUndefined();
      await delay(1);
      expect([acquired, lock.released]).toEqual([[], [held?.owner]]);
      expect([fills.count, entries.stored.size]).toEqual([1, 1]);
    });

    it.each([false, 'stored'] as const)('looks again where it was not had: %s', async (answer) => {
      const { lock, acquired, coordinator, fill, fills } = early();
      lock.answer = answer;
      const held = coordinator().acquireEarly(NAME);
      expect((await coordinator().run({ ...fill, early: held })).stored).toBeUndefined();
      expect([acquired.length, fills.count]).toEqual([1, 1]);
      expect(acquired).not.toContain(held?.owner);
    });

    it('is used once: by one fill, or dropped and given back', async () => {
      const { lock, acquired, coordinator, fill } = early();
      const [used, dropped] = [coordinator().acquireEarly(NAME), coordinator().acquireEarly(NAME)];
      if (!used || !dropped) throw new Error('The lock was not asked for.');
      coordinator().drop(dropped);
      await delay(1);
      expect(lock.released).toEqual([dropped.owner]);
      await coordinator().run({ ...fill, early: dropped });
      expect(acquired).toHaveLength(1);
      await coordinator().run({ ...fill, early: used });
      coordinator().drop(used);
      await delay(1);
      expect(acquired).toHaveLength(1);
      expect(lock.released.filter((owner) => owner === used.owner)).toHaveLength(1);
    });
  });

  describe('that has begun already', () => {
    it('takes the lock meanwhile, so that others wait for it', async () => {
      const { coordinator, sharedFill, instance, fills, entries } = setUp();
      let finish: (value: CacheEntry) => void = () => undefined;
      const slow = sharedFill(() => new Promise((resolve) => (finish = resolve)));
      const begun = coordinator().run({ ...slow, isBegun: true });
      const other = instance(async () => entry)();
      await delay(5);
      expect(fills.count).toBe(1);
      finish(entry);
      expect(await (await begun).isAlone).toBe(true);
      expect(await other).toEqual(entry);
      expect([fills.count, entries.stored.size]).toEqual([1, 1]);
    });

    it('waits for nobody who has the lock, and says that somebody had it', async () => {
      const { lock, coordinator, sharedFill, fills } = setUp();
      expect(await lock.acquire(NAME, 'another', 60_000)).toBe(true);
      const { stored, isAlone } = await coordinator().run({
        ...sharedFill(async () => entry),
        isBegun: true,
      });
      expect([stored, await isAlone, fills.count]).toEqual([undefined, false, 1]);
    });
  });

  it('takes no entry with another stamp', async () => {
    const { entries, instance, fills } = setUp();
    await entries.set('k', { ...entry, stamp: 'old' });
    expect(await instance(async () => entry)()).toBeUndefined();
    expect(fills.count).toBe(1);
  });
});
