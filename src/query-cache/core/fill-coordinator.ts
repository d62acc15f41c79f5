/**
 * One fill among all instances for each key and stamp.
 *
 * The instance that gets the lock fills. The others look for the stored entry and try the lock
 * again, so that a fill that failed or whose instance died is taken over once its lease has run
 * out; after `maxWaitMs` they fill alone.
 */
import { pause, type Clock, type Timers } from './clock.js';
import type { CacheEntry, EntryStore, FillLock } from './entry-store.js';
import type { TokenSource } from './token.js';

export interface FillCoordinatorOptions {
  /** Lease of the lock, in milliseconds: a fill that takes longer may be run twice. */
  readonly leaseMs: number;
  readonly maxWaitMs: number;
  /** Pause between two looks, in milliseconds. */
  readonly pollMs: number;
}

export interface SharedFill {
  readonly key: string;
  readonly lockName: string;
  /** Whether a stored entry answers the request. */
  readonly accepts: (entry: CacheEntry) => boolean;
  /** Runs the query; answers the entry, or `undefined` when the answer must not be stored. */
  readonly fill: () => Promise<CacheEntry | undefined>;
}

export class FillCoordinator {
  constructor(
    private readonly entries: EntryStore,
    private readonly lock: FillLock,
    private readonly token: TokenSource,
    private readonly clock: Clock,
    private readonly timers: Timers,
    private readonly options: FillCoordinatorOptions,
    private readonly onStoreFailure: (operation: string) => void,
  ) {}

  /** Answers an entry that another instance stored meanwhile, or `undefined` after `fill` ran here. */
  async run(shared: SharedFill): Promise<CacheEntry | undefined> {
    const owner = this.token();
    const deadlineMs = this.clock.nowMs() + this.options.maxWaitMs;
    for (;;) {
      // Carried out in this order in one round trip: the fill that held the lock before has stored
      // its entry before it gave the lock back.
      const [lock, stored] = await Promise.all([
        this.#acquire(shared.lockName, owner),
        this.#stored(shared),
      ]);
      if (stored) {
        if (lock === 'mine') void this.#publish(shared, owner, true, undefined);
        return stored;
      }
      if (lock !== 'held-by-another') {
        await this.#fill(shared, owner, lock === 'mine');
        return undefined;
      }
      if (this.clock.nowMs() >= deadlineMs) {
        await shared.fill();
        return undefined;
      }
      await pause(this.timers, this.options.pollMs);
    }
  }

  async #fill(shared: SharedFill, owner: string, holdsLock: boolean): Promise<void> {
    let entry: CacheEntry | undefined;
    try {
      entry = await shared.fill();
    } finally {
      // The answer does not wait for this: nobody but other instances' waiters needs it.
      void this.#publish(shared, owner, holdsLock, entry);
    }
  }

  /** Stores the entry, then gives the lock back. Never rejects. */
  async #publish(
    shared: SharedFill,
    owner: string,
    holdsLock: boolean,
    entry: CacheEntry | undefined,
  ): Promise<void> {
    if (entry) {
      await this.entries.set(shared.key, entry).catch(() => this.onStoreFailure('set'));
    }
    if (holdsLock) {
      await this.lock.release(shared.lockName, owner).catch(() => this.onStoreFailure('release'));
    }
  }

  async #acquire(name: string, owner: string): Promise<'mine' | 'held-by-another' | 'no-lock'> {
    try {
      const isMine = await this.lock.acquire(name, owner, this.options.leaseMs);
      return isMine ? 'mine' : 'held-by-another';
    } catch {
      this.onStoreFailure('acquire');
      return 'no-lock';
    }
  }

  async #stored(shared: SharedFill): Promise<CacheEntry | undefined> {
    try {
      const entry = await this.entries.get(shared.key);
      return entry && shared.accepts(entry) ? entry : undefined;
    } catch {
      this.onStoreFailure('get');
      return undefined;
    }
  }
}
