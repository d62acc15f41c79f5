/**
 * One fill among all instances for each key and stamp.
 *
 * The instance that gets the lock fills. The others look for the stored entry and try the lock
 * again, so that a fill that failed or whose instance died is taken over once its lease has run
 * out; after `maxWaitMs` they fill alone.
 */
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
    private readonly clock: { nowMs(): number },
    private readonly options: FillCoordinatorOptions,
    private readonly onStoreFailure: (operation: string) => void,
  ) {}

  /** Answers an entry that another instance stored meanwhile, or `undefined` after `fill` ran here. */
  async run(shared: SharedFill): Promise<CacheEntry | undefined> {
    const owner = this.token();
    const deadlineMs = this.clock.nowMs() + this.options.maxWaitMs;
    let hasWaited = false;
    for (;;) {
      const acquired = await this.#acquire(shared.lockName, owner);
      if (acquired !== 'held-by-another') {
        return this.#fill(shared, owner, acquired === 'mine', hasWaited);
      }
      if (this.clock.nowMs() >= deadlineMs) {
        await shared.fill();
        return undefined;
      }
      await new Promise((resolve) => setTimeout(resolve, this.options.pollMs));
      hasWaited = true;
      const stored = await this.#stored(shared);
      if (stored) return stored;
    }
  }

  async #fill(
    shared: SharedFill,
    owner: string,
    holdsLock: boolean,
    hasWaited: boolean,
  ): Promise<CacheEntry | undefined> {
    let entry: CacheEntry | undefined;
    let stored: CacheEntry | undefined;
    try {
      // Between the last look and getting the lock the other fill may have stored its entry.
      stored = hasWaited ? await this.#stored(shared) : undefined;
      if (!stored) entry = await shared.fill();
    } finally {
      // The answer does not wait for this: the entry must be there before the lock is given back,
      // and nobody but other instances' waiters needs either.
      void this.#publish(shared, owner, holdsLock, entry);
    }
    return stored;
  }

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
