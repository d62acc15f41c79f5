/**
 * One fill among all instances for each key and stamp.
 *
 * The instance that gets the lock fills. The others look for the stored entry and try the lock
 * again, so that a fill that failed or whose instance died is taken over once its lease has run
 * out; after `maxWaitMs` they fill alone.
 *
 * The lock can be asked for before the stamp is known, under the stamp that it was last: where it still is,
 * as a rule, a miss waits for the store once instead of twice. A fill that has begun before takes it
 * meanwhile, so that others wait, and waits for nobody itself.
 */
import { pause, type Clock, type Timers } from './clock.js';
import type { CacheEntry, EntryStore, FillLock, FillName } from './entry-store.js';
import type { TokenSource } from './token.js';

export interface FillCoordinatorOptions {
  /** Lease of the lock, in milliseconds: a fill that takes longer may be run twice. */
  readonly leaseMs: number;
  readonly maxWaitMs: number;
  /** Pause between two looks, in milliseconds. */
  readonly pollMs: number;
}

export interface SharedFill {
  readonly name: FillName;
  /** The lock, asked for already; one that was used or dropped is of no use. */
  readonly early?: EarlyLock | undefined;
  /** The query has been sent already: the lock is taken meanwhile, and whoever has it is not waited for. */
  readonly isBegun?: boolean | undefined;
  /** Whether a stored entry answers the request. */
  readonly accepts: (entry: CacheEntry) => boolean;
  /** Runs the query; answers the entry, or `undefined` when the answer must not be stored. */
  readonly fill: () => Promise<CacheEntry | undefined>;
}

export interface FillOutcome {
  /** What another instance has stored meanwhile; `undefined` after `fill` ran here. */
  readonly stored: CacheEntry | undefined;
  /** Whether this instance had the lock: no other could have been waited for. Never rejects. */
  readonly isAlone: Promise<boolean>;
}

type LockOutcome = 'mine' | 'held-by-another' | 'no-lock';

export interface EarlyLock {
  readonly name: FillName;
  readonly owner: string;
  /** `stored`: there is an entry under the key, and the lock was not taken. */
  readonly outcome: Promise<LockOutcome | 'stored'>;
  isSpent: boolean;
}

const NO = Promise.resolve(false);

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

  /** Asks for the lock of a fill that may come; to be used by `run`, or dropped. */
  acquireEarly(name: FillName): EarlyLock | undefined {
    const owner = this.token();
    const asked = this.lock.acquireEarly(name, owner, this.options.leaseMs);
    if (!asked) return undefined;
    const outcome = this.#outcomeOf(
      asked.then((taken) => (taken === 'stored' ? taken : outcomeOf(taken))),
    );
    return { name, owner, outcome, isSpent: false };
  }

  /** Gives the lock back in the background, where it was got and no fill uses it. */
  drop(early: EarlyLock): void {
    if (early.isSpent) return;
    early.isSpent = true;
    void early.outcome.then((outcome) => {
      if (outcome === 'mine') return this.#release(early.name, early.owner);
    });
  }

  async run(shared: SharedFill): Promise<FillOutcome> {
    const { name, early, isBegun } = shared;
    if (early && !early.isSpent) {
      early.isSpent = true;
      if ((await early.outcome) === 'mine') return this.#fill(shared, early.owner, 'mine');
    }
    const owner = this.token();
    if (isBegun) return this.#fill(shared, owner, this.#acquire(name, owner));
    const deadlineMs = this.clock.nowMs() + this.options.maxWaitMs;
    for (;;) {
      // Carried out in this order in one round trip: the fill that held the lock before has stored
      // its entry before it gave the lock back.
      const [lock, stored] = await Promise.all([this.#acquire(name, owner), this.#stored(shared)]);
      if (stored) {
        if (lock === 'mine') void this.#release(name, owner);
        return { stored, isAlone: NO };
      }
      if (lock !== 'held-by-another') {
        return this.#fill(shared, owner, lock);
      }
      if (this.clock.nowMs() >= deadlineMs) {
        await shared.fill();
        return { stored: undefined, isAlone: NO };
      }
      await pause(this.timers, this.options.pollMs);
    }
  }

  async #fill(
    shared: SharedFill,
    owner: string,
    lock: LockOutcome | Promise<LockOutcome>,
  ): Promise<FillOutcome> {
    const holdsLock = Promise.resolve(lock).then((outcome) => outcome === 'mine');
    let entry: CacheEntry | undefined;
    try {
      entry = await shared.fill();
    } finally {
      // The answer does not wait for this: nobody but other instances' waiters needs it.
      void this.#publish(shared.name, owner, holdsLock, entry);
    }
    return { stored: undefined, isAlone: holdsLock };
  }

  /** Stores the entry, then gives the lock back. Never rejects. */
  async #publish(
    name: FillName,
    owner: string,
    holdsLock: Promise<boolean>,
    entry: CacheEntry | undefined,
  ): Promise<void> {
    let isOwed = await holdsLock;
    const release = (): void => {
      if (isOwed) void this.#release(name, owner);
      isOwed = false;
    };
    if (entry) {
      await this.entries.set(name.key, entry, release).catch(() => this.onStoreFailure('set'));
    }
    release();
  }

  #acquire(name: FillName, owner: string): Promise<LockOutcome> {
    return this.#outcomeOf(this.lock.acquire(name, owner, this.options.leaseMs).then(outcomeOf));
  }

  async #outcomeOf<T>(asked: Promise<T>): Promise<T | 'no-lock'> {
    try {
      return await asked;
    } catch {
      this.onStoreFailure('acquire');
      return 'no-lock';
    }
  }

  /** Never rejects. */
  async #release(name: FillName, owner: string): Promise<void> {
    await this.lock.release(name, owner).catch(() => this.onStoreFailure('release'));
  }

  async #stored(shared: SharedFill): Promise<CacheEntry | undefined> {
    try {
      const entry = await this.entries.get(shared.name.key);
      return entry && shared.accepts(entry) ? entry : undefined;
    } catch {
      this.onStoreFailure('get');
      return undefined;
    }
  }
}

function outcomeOf(isMine: boolean): LockOutcome {
  return isMine ? 'mine' : 'held-by-another';
}
