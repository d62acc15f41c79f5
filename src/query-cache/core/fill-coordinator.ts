/**
 * One fill of a key among all instances: a distributed single flight.
 *
 * The instance that gets the lock fills. The others look for the stored entry and try the lock again, so
 * that a fill that failed, or whose instance died, is taken over once the lease has run out. After
 * `maxWaitMs` they fill without the lock.
 *
 * The lock belongs to the key, not to the stamp, so a request can ask for the entry and the lock before its stamp is
 * known. All fills of one process have the same owner, so a process does not wait for itself where a write has
 * ended the answer that an earlier fill is still reading. Nothing that is true depends on the lock.
 */
import { pause, type Clock, type Timers } from './clock.js';
import type { CacheEntry, EntryStore, FillLock } from './entry-store.js';
import type { UncacheableReason } from './statement-analysis.js';

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

export interface SharedFill {
  readonly key: string;
  /** The look of the request, where it has one. */
  readonly ahead?: LookAhead | undefined;
  /** Whether a stored entry answers the request. */
  readonly accepts: (entry: CacheEntry) => boolean;
  /** Runs the query. */
  readonly fill: () => Promise<Filled>;
}

export interface Filled {
  readonly entry: CacheEntry;
  /** Why the entry must not be stored. */
  readonly refusal: UncacheableReason | undefined;
}

/** The entry that the shared store had, perhaps since another instance has filled meanwhile; or what was filled here. */
export type FillOutcome =
  | { readonly stored: CacheEntry; readonly hasWaited: boolean }
  | { readonly stored: undefined; readonly filled: Filled };

/** What the shared store has for a key. */
interface Look {
  readonly entry: CacheEntry | undefined;
  readonly lock: 'mine' | 'held-by-another' | 'not-tried' | 'failed';
}

/** A look that requests share whose stamps are not known yet. */
export interface LookAhead {
  readonly look: Promise<Look>;
  /** A fill has its lock, or had. */
  readonly isUsed: boolean;
}

export class FillCoordinator {
  /** By key: the look of requests that have not been answered, or of the fill under way. */
  readonly #looks = new Map<string, LookAhead>();

  constructor(
    private readonly parts: FillCoordinatorParts,
    private readonly options: FillCoordinatorOptions,
  ) {}

  /** Looks for a request that may need a fill. To be dropped in any case. */
  lookAhead(key: string): LookAhead {
    const latest = this.#looks.get(key);
    if (latest) return latest;
    const { lock, owner } = this.parts;
    const asked = lock.acquireUnlessStored(key, owner, this.options.leaseMs);
    const ahead = { look: this.#look(key, asked), isUsed: false };
    this.#looks.set(key, ahead);
    return ahead;
  }

  /** Gives the lock back where no fill has used it. */
  drop(key: string, ahead: LookAhead): void {
    if (ahead.isUsed || this.#looks.get(key) !== ahead) return;
    this.#looks.delete(key);
    void ahead.look.then(({ lock }) => (lock === 'mine' ? this.#release(key) : undefined));
  }

  async run(shared: SharedFill): Promise<FillOutcome> {
    const { key, ahead } = shared;
    const latest = this.#looks.get(key);
    const free = latest?.isUsed === false ? latest : undefined;
    const look = free?.look ?? ahead?.look.then(withoutLock) ?? this.#lookAgain(key);
    const used = { look, isUsed: true };
    this.#looks.set(key, used);
    try {
      return await this.#run(shared, look);
    } finally {
      if (this.#looks.get(key) === used) this.#looks.delete(key);
    }
  }

  async #run({ key, accepts, fill }: SharedFill, first: Promise<Look>): Promise<FillOutcome> {
    const { clock, timers } = this.parts;
    const deadlineMs = clock.nowMs() + this.options.maxWaitMs;
    let next = first;
    for (let hasWaited = false; ;) {
      const { entry, lock } = await next;
      if (entry && accepts(entry)) {
        if (lock === 'mine') void this.#release(key);
        return { stored: entry, hasWaited };
      }
      if (lock === 'mine' || lock === 'failed') return this.#fill(key, fill, lock === 'mine');
      if (lock === 'held-by-another') {
        if (clock.nowMs() >= deadlineMs) return { stored: undefined, filled: await fill() };
        await pause(timers, this.options.pollMs);
        hasWaited = true;
      }
      next = this.#lookAgain(key);
    }
  }

  async #fill(key: string, fill: () => Promise<Filled>, holdsLock: boolean): Promise<FillOutcome> {
    let entry: CacheEntry | undefined;
    try {
      const filled = await fill();
      if (filled.refusal === undefined) ({ entry } = filled);
      return { stored: undefined, filled };
    } finally {
      // The answer does not wait for this: only waiters of other instances need it.
      void this.#publish(key, entry, holdsLock);
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

  #lookAgain(key: string): Promise<Look> {
    const { lock, owner } = this.parts;
    return this.#look(key, lock.acquire(key, owner, this.options.leaseMs));
  }

  /**
   * The lock is asked for first, and in the same round trip: the fill that held it before has stored its entry
   * before it gave the lock back. Never rejects.
   */
  async #look(key: string, asked: Promise<boolean | undefined>): Promise<Look> {
    const { entries, onStoreFailure } = this.parts;
    const [lock, entry] = await Promise.all([
      asked.then(outcomeOf, () => {
        onStoreFailure('acquire');
        return 'failed' as const;
      }),
      entries.get(key).catch(() => {
        onStoreFailure('get');
        return undefined;
      }),
    ]);
    return { lock, entry };
  }

  /** Never rejects. */
  async #release(key: string): Promise<void> {
    const { lock, owner, onStoreFailure } = this.parts;
    await lock.release(key, owner).catch(() => onStoreFailure('release'));
  }
}

function outcomeOf(isTaken: boolean | undefined): Look['lock'] {
  if (isTaken === undefined) return 'not-tried';
  return isTaken ? 'mine' : 'held-by-another';
}

/** The lock is for one fill alone. */
function withoutLock({ entry }: Look): Look {
  return { entry, lock: 'not-tried' };
}
