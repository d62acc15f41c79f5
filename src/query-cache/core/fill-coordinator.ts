/**
 * One fill of a key among all instances.
 *
 * The instance that gets the lock fills. The others look for the stored entry and try the lock again, so
 * that a fill that failed, or whose instance died, is taken over once the lease has run out. After
 * `maxWaitMs` they fill without the lock.
 *
 * All fills of one process have the same owner. So a process does not wait for itself where a write has
 * ended the answer that an earlier fill is still reading. Nothing that is true depends on the lock.
 */
import { pause, type Clock, type Timers } from './clock.js';
import type { CacheEntry, EntryStore, FillLock } from './entry-store.js';

export interface FillCoordinatorOptions {
  /** Lease of the lock, in milliseconds: a fill that takes longer may be run twice. */
  readonly leaseMs: number;
  readonly maxWaitMs: number;
  /** Pause between two looks, in milliseconds. */
  readonly pollMs: number;
}

export interface FillCoordinatorParts {
  readonly entries: EntryStore;
  readonly lock: FillLock;
  /** Names this process to the lock. */
  readonly owner: string;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly onStoreFailure: (operation: string) => void;
}

export type LockOutcome = 'mine' | 'held-by-another' | 'has-entry' | 'no-lock';

/** What the shared store holds under a key, and the lock of its fill where there is no entry. */
export class Look {
  #lock: Promise<LockOutcome> | undefined;

  constructor(
    /** Never rejects. */
    readonly entry: Promise<CacheEntry | undefined>,
    lock?: Promise<LockOutcome>,
    private readonly release: () => void = () => undefined,
  ) {
    this.#lock = lock;
  }

  withoutLock(): Look {
    return new Look(this.entry);
  }

  /** For the fill that gives it back. Never rejects. */
  takeLock(): Promise<LockOutcome> | undefined {
    const lock = this.#lock;
    this.#lock = undefined;
    return lock;
  }

  /** Gives the lock back in the background, where it was got and no fill has taken it. */
  drop(): void {
    void this.takeLock()?.then((outcome) => outcome === 'mine' && this.release());
  }
}

export interface SharedFill {
  readonly key: string;
  /** The lock, where it has been asked for already. */
  readonly lock: Promise<LockOutcome> | undefined;
  /** Whether a stored entry answers the request. */
  readonly accepts: (entry: CacheEntry) => boolean;
  /** Runs the query; answers the entry, or `undefined` when the answer must not be stored. */
  readonly fill: () => Promise<CacheEntry | undefined>;
}

export class FillCoordinator {
  constructor(
    private readonly parts: FillCoordinatorParts,
    private readonly options: FillCoordinatorOptions,
  ) {}

  /** Asks for the entry and for the lock in one round trip. The lock is for `run`, or to be dropped. */
  look(key: string): Look {
    const { lock, owner } = this.parts;
    const asked = lock.acquireUnlessStored(key, owner, this.options.leaseMs);
    const outcome = asked?.then((taken) => (taken === 'has-entry' ? taken : outcomeOf(taken)));
    return new Look(this.#entry(key), outcome && this.#outcomeOf(outcome), () => {
      void this.#release(key);
    });
  }

  /** Answers what another instance has stored meanwhile; `undefined` after `fill` ran here. */
  async run(shared: SharedFill): Promise<CacheEntry | undefined> {
    const { clock, timers } = this.parts;
    if ((await shared.lock) === 'mine') return this.#fill(shared, true);
    const deadlineMs = clock.nowMs() + this.options.maxWaitMs;
    for (;;) {
      // Redis carries these out in this order, in one round trip. The fill that held the lock before
      // has stored its entry before it gave the lock back.
      const [lock, found] = await Promise.all([this.#acquire(shared.key), this.#entry(shared.key)]);
      if (found && shared.accepts(found)) {
        if (lock === 'mine') void this.#release(shared.key);
        return found;
      }
      if (lock !== 'held-by-another') return this.#fill(shared, lock === 'mine');
      if (clock.nowMs() >= deadlineMs) {
        await shared.fill();
        return undefined;
      }
      await pause(timers, this.options.pollMs);
    }
  }

  async #fill(shared: SharedFill, holdsLock: boolean): Promise<undefined> {
    let entry: CacheEntry | undefined;
    try {
      entry = await shared.fill();
    } finally {
      // The answer does not wait for this: only waiters of other instances need it.
      void this.#publish(shared.key, entry, holdsLock);
    }
  }

  /** Stores the entry, then gives the lock back. Never rejects. */
  async #publish(key: string, entry: CacheEntry | undefined, holdsLock: boolean): Promise<void> {
    let isHeld = holdsLock;
    const release = (): void => {
      if (isHeld) void this.#release(key);
      isHeld = false;
    };
    const { entries, onStoreFailure } = this.parts;
    if (entry) await entries.set(key, entry, release).catch(() => onStoreFailure('set'));
    release();
  }

  #acquire(key: string): Promise<LockOutcome> {
    const { lock, owner } = this.parts;
    return this.#outcomeOf(lock.acquire(key, owner, this.options.leaseMs).then(outcomeOf));
  }

  async #outcomeOf(asked: Promise<LockOutcome>): Promise<LockOutcome> {
    try {
      return await asked;
    } catch {
      this.parts.onStoreFailure('acquire');
      return 'no-lock';
    }
  }

  /** Never rejects. */
  async #release(key: string): Promise<void> {
    const { lock, owner, onStoreFailure } = this.parts;
    await lock.release(key, owner).catch(() => onStoreFailure('release'));
  }

  /** Never rejects. */
  async #entry(key: string): Promise<CacheEntry | undefined> {
    try {
      return await this.parts.entries.get(key);
    } catch {
      this.parts.onStoreFailure('get');
      return undefined;
    }
  }
}

function outcomeOf(isMine: boolean): LockOutcome {
  return isMine ? 'mine' : 'held-by-another';
}
