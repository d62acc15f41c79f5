/**
 * Looks in the shared store. Who asks for a key before the request that looks for it has been answered shares
 * its look, and with it the fill that may follow: whatever is found, its stamp is compared.
 */
import type { CacheEntry, EntryStore, FillName } from './entry-store.js';
import type { EarlyLock, FillCoordinator } from './fill-coordinator.js';
import type { HeadStart } from './head-starts.js';
import type { Stamps } from './stamp.js';

export interface Look<E> {
  /** Never rejects. */
  readonly entry: Promise<E | undefined>;
  /** The stamps that a fill would have if nothing has changed, where they are known. */
  readonly expected: Stamps | undefined;
  /** Whether the key was not in memory, so that a head start was possible. */
  readonly isCold: boolean;
  /** That of the fill which follows where there is no entry. */
  readonly lock?: EarlyLock | undefined;
  /** The fill itself, begun already. */
  readonly headStart?: HeadStart | undefined;
}

interface SharedLook<E> {
  readonly look: Look<E>;
  users: number;
}

export class SharedLooks<E extends CacheEntry> {
  /** By key. */
  readonly #underWay = new Map<string, SharedLook<E>>();
  readonly #stampTags = new WeakMap<Stamps, string>();

  constructor(
    private readonly entries: EntryStore,
    private readonly fills: FillCoordinator,
    private readonly toEntry: (entry: CacheEntry) => E,
    private readonly tagOf: (body: Buffer) => string,
    private readonly onFailure: () => void,
  ) {}

  /**
   * Lets `use` have the look for a key that is under way, or else one by `begin`, which others may share
   * until all that use it have ended. One that was begun under other stamps than those expected now is
   * not shared any more.
   *
   * @param begin makes the look.
   */
  async share<T>(
    key: string,
    expected: Stamps | undefined,
    begin: () => Look<E>,
    use: (look: Look<E>, isOwn: boolean) => Promise<T>,
  ): Promise<T> {
    const another = this.#underWay.get(key);
    const isOwn = !another || !isUpToDate(another, expected);
    const shared = isOwn ? this.#begun(key, begin()) : another;
    shared.users += 1;
    try {
      return await use(shared.look, isOwn);
    } finally {
      shared.users -= 1;
      if (shared.users === 0 && this.#underWay.get(key) === shared) this.#underWay.delete(key);
      if (isOwn && shared.look.lock) this.fills.drop(shared.look.lock);
    }
  }

  lookFor(key: string, expected: Stamps): Look<E> {
    return { entry: this.#fetch(key), expected, isCold: false };
  }

  /**
   * For a key that is not in memory. The lock of a fill is asked for too, where its stamps are known; who has
   * a head start looks only where that says there is something to see. That costs a round trip more, while the
   * database works anyway.
   */
  lookForCold(key: string, expected?: Stamps, headStart?: HeadStart): Look<E> {
    const lock = expected && this.fills.acquireEarly(this.fillName(key, expected));
    const entry = headStart && lock ? this.#fetchKnown(key, lock) : this.#fetch(key);
    return { entry, expected, isCold: expected !== undefined, lock, headStart };
  }

  #begun(key: string, look: Look<E>): SharedLook<E> {
    const shared = { look, users: 0 };
    this.#underWay.set(key, shared);
    return shared;
  }

  fillName(key: string, stamps: Stamps): FillName {
    let stamp = this.#stampTags.get(stamps);
    if (stamp === undefined) {
      stamp = this.tagOf(Buffer.from(stamps.withInserts));
      this.#stampTags.set(stamps, stamp);
    }
    return { key, stamp };
  }

  async #fetchKnown(key: string, lock: EarlyLock): Promise<E | undefined> {
    return (await lock.outcome) === 'stored' ? this.#fetch(key) : undefined;
  }

  async #fetch(key: string): Promise<E | undefined> {
    try {
      const stored = await this.entries.get(key);
      return stored && this.toEntry(stored);
    } catch {
      this.onFailure();
      return undefined;
    }
  }
}

function isUpToDate({ look }: SharedLook<unknown>, now: Stamps | undefined): boolean {
  const { expected } = look;
  return !expected || !now || expected.withInserts === now.withInserts;
}
