/**
 * One fill per key among all instances: a distributed single flight.
 *
 * The instance that gets the lock fills. The others poll for the stored entry and try the lock again, so that another
 * instance takes over a fill that failed, or whose instance died, once the lease has expired. After `maxWaitMs` they
 * fill without the lock. Correctness does not depend on the lock.
 *
 * The lock belongs to the key, not to the stamp, so a request reads the entry and takes the lock before its stamp is
 * known. All fills of one process have the same owner, so a process does not wait for itself if a write has invalidated
 * the answer that an earlier fill is still reading.
 */
import { pause, type Clock, type Timers } from './ports/clock.js';
import type { CacheEntry, EntryStore, FillLock } from './ports/entry-store.js';
import type { UncacheableReason } from './statement-analysis.js';

export interface DistributedSingleFlightOptions {
  /** Lease of the lock, in milliseconds; a fill that takes longer may run twice. */
  readonly leaseMs: number;
  readonly maxWaitMs: number;
  /** Pause between two polls, in milliseconds. */
  readonly pollMs: number;
}

export interface DistributedSingleFlightParts {
  readonly entries: EntryStore;
  readonly lock: FillLock;
  /** Identifies this process as an owner of locks. */
  readonly owner: string;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly onStoreFailure: (operation: string) => void;
}

export interface SharedFill {
  readonly key: string;
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

/** The entry of the shared store, where another instance may have stored it meanwhile; or the entry of this fill. */
export type FillOutcome =
  | { readonly stored: CacheEntry; readonly hasWaited: boolean }
  | {
      readonly stored: undefined;
      readonly filled: Filled;
      /** The stored entry that was found first and did not answer the request. */
      readonly rejected: CacheEntry | undefined;
    };

/** The stored entry of a key and the state of its lock. */
interface Found {
  readonly entry: CacheEntry | undefined;
  readonly lock: 'mine' | 'held-by-another' | 'not-tried' | 'failed';
}

interface Look {
  readonly found: Promise<Found>;
  /** A fill uses its lock, or has used it. */
  isUsed: boolean;
}

export class DistributedSingleFlight {
  /** By key: the lookups of requests whose stamps are not known yet, and of running fills. */
  readonly #looks = new Map<string, Look>();

  constructor(
    private readonly parts: DistributedSingleFlightParts,
    private readonly options: DistributedSingleFlightOptions,
  ) {}

  /**
   * Reads ahead for a request that may need a fill. The caller must always call the returned function, which releases
   * the lock if no fill has used it.
   */
  lookAhead(key: string): () => void {
    let look = this.#looks.get(key);
    if (!look) {
      const { lock, owner } = this.parts;
      const asked = lock.acquireUnlessStored(key, owner, this.options.leaseMs);
      look = { found: this.#find(key, asked), isUsed: false };
      this.#looks.set(key, look);
    }
    const ahead = look;
    return () => {
      if (ahead.isUsed || this.#looks.get(key) !== ahead) return;
      this.#looks.delete(key);
      void ahead.found.then(({ lock }) => (lock === 'mine' ? this.#release(key) : undefined));
    };
  }

  async run(shared: SharedFill): Promise<FillOutcome> {
    const { key } = shared;
    const ahead = this.#looks.get(key);
    const isFree = ahead?.isUsed === false;
    const look = isFree ? ahead : { found: this.#findAgain(key), isUsed: true };
    look.isUsed = true;
    this.#looks.set(key, look);
    try {
      return await this.#run(shared, look.found);
    } finally {
      if (this.#looks.get(key) === look) this.#looks.delete(key);
    }
  }

  /** Fills and stores whether or not another fill runs or an entry is stored. */
  async fillAlone(key: string, fill: () => Promise<Filled>): Promise<Filled> {
    return this.#fill(key, fill, false);
  }

  async #run({ key, accepts, fill }: SharedFill, first: Promise<Found>): Promise<FillOutcome> {
    const { clock, timers } = this.parts;
    const deadlineMs = clock.nowMs() + this.options.maxWaitMs;
    let next = first;
    let rejected: CacheEntry | undefined;
    for (let hasWaited = false; ;) {
      const { entry, lock } = await next;
      if (entry && accepts(entry)) {
        if (lock === 'mine') void this.#release(key);
        return { stored: entry, hasWaited };
      }
      rejected ??= entry;
      if (lock === 'mine' || lock === 'failed') {
        const filled = await this.#fill(key, fill, lock === 'mine');
        return { stored: undefined, filled, rejected };
      }
      if (lock === 'held-by-another') {
        if (clock.nowMs() >= deadlineMs) {
          return { stored: undefined, filled: await fill(), rejected };
        }
        await pause(timers, this.options.pollMs);
        hasWaited = true;
      }
      next = this.#findAgain(key);
    }
  }

  async #fill(key: string, fill: () => Promise<Filled>, holdsLock: boolean): Promise<Filled> {
    let entry: CacheEntry | undefined;
    try {
      const filled = await fill();
      if (filled.refusal === undefined) ({ entry } = filled);
      return filled;
    } finally {
      // The answer does not wait for this: only waiters in other instances need it.
      void this.#publish(key, entry, holdsLock);
    }
  }

  /** Stores the entry, then releases the lock. Never rejects. */
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

  #findAgain(key: string): Promise<Found> {
    const { lock, owner } = this.parts;
    return this.#find(key, lock.acquire(key, owner, this.options.leaseMs));
  }

  /**
   * Takes the lock first, in the same round trip: the fill that held it before stored its entry before it released the
   * lock. Never rejects.
   */
  async #find(key: string, asked: Promise<boolean | undefined>): Promise<Found> {
    const { entries, onStoreFailure } = this.parts;
    const [lock, entry] = await Promise.all([
      asked.then(
        (isTaken) => (isTaken === undefined ? 'not-tried' : isTaken ? 'mine' : 'held-by-another'),
        () => {
          onStoreFailure('acquire');
          return 'failed' as const;
        },
      ),
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
