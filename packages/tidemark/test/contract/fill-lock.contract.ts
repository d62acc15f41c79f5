import { afterEach, beforeEach, expect, it } from 'vitest';
import type { FillLock } from '../../src/core/ports/entry-store.js';

/** A lock store without data, and control of the clock of its leases. */
export interface FillLockUnderTest {
  readonly lock: FillLock;
  /** Resolves when at least so much time has passed on the lock's clock. */
  pass(durationMs: number): Promise<void>;
  close(): Promise<void>;
}

const LONG_MS = 600_000;
const SHORT_MS = 30;

/** The contract of every fill lock, in memory or shared. */
export function fillLockContract(open: () => Promise<FillLockUnderTest>): void {
  let held: FillLockUnderTest;
  let lock: FillLock;

  beforeEach(async () => {
    held = await open();
    ({ lock } = held);
  });

  afterEach(() => held.close());

  it('is given to one owner at a time', async () => {
    const taken = await Promise.all(['a', 'b', 'c'].map((o) => lock.acquire('k', o, LONG_MS)));
    expect(taken.filter(Boolean)).toHaveLength(1);
    expect(await lock.acquire('other', 'b', LONG_MS)).toBe(true);
  });

  it('is given again to the owner that holds it', async () => {
    expect(await lock.acquire('k', 'a', SHORT_MS)).toBe(true);
    expect(await lock.acquire('k', 'a', LONG_MS)).toBe(true);
    await held.pass(SHORT_MS);
    expect(await lock.acquire('k', 'b', LONG_MS)).toBe(false);
  });

  it('can be taken after its owner has released it', async () => {
    await lock.acquire('k', 'a', LONG_MS);
    await lock.release('k', 'a');
    expect(await lock.acquire('k', 'b', LONG_MS)).toBe(true);
  });

  it('is released only by its owner', async () => {
    await lock.acquire('k', 'a', LONG_MS);
    await lock.release('k', 'b');
    await lock.release('none', 'b');
    expect(await lock.acquire('k', 'b', LONG_MS)).toBe(false);
  });

  it('can be taken once its lease has run out, and its old owner cannot release it then', async () => {
    await lock.acquire('k', 'a', SHORT_MS);
    await held.pass(SHORT_MS);
    expect(await lock.acquire('k', 'b', LONG_MS)).toBe(true);
    await lock.release('k', 'a');
    expect(await lock.acquire('k', 'c', LONG_MS)).toBe(false);
  });
}
