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
  /** That of the fill which follows where there is no entry. */
  readonly lock?: EarlyLock | undefined;
  /** The fill itself, begun already. */
  readonly headStart?: HeadStart | undefined;
  /** Whether a head start was possible: the key was not in memory, and the stamps were known. */
  readonly isCold: boolean;
}

export class SharedLooks<E extends CacheEntry> {
  /** By key. */
  readonly #underWay = new Map<string, Look<E>>();
  readonly #stampTags = new WeakMap<Stamps, string>();

  constructor(
    private readonly entries: EntryStore,
    private readonly fills: FillCoordinator,
    private readonly toEntry: (entry: CacheEntry) => E,
    private readonly tagOf: (body: Buffer) => string,
    private readonly onFailure: () => void,
  ) {}

  /**
   * Lets `use` have the look for a key that is under way, or another one, which others may share until
   * `use` has ended.
   *
   * @param begin makes the look by {@link lookFor}.
   */
  async share<T>(
    key: string,
    begin: () => Look<E>,
    use: (look: Look<E>, isOwn: boolean) => Promise<T>,
  ): Promise<T> {
    const another = this.#underWay.get(key);
    if (another) return use(another, false);
    const look = begin();
    this.#underWay.set(key, look);
    try {
      return await use(look, true);
    } finally {
      this.#underWay.delete(key);
      if (look.lock) this.fills.drop(look.lock);
    }
  }

  /** @param expected the stamps that a fill would have if nothing has changed: its lock is asked for too. */
  lookFor(key: string, expected?: Stamps, headStart?: HeadStart): Look<E> {
    const entry = this.#fetch(key);
    const lock = expected && this.fills.acquireEarly(this.fillName(key, expected));
    return { entry, lock, headStart, isCold: expected !== undefined };
  }

  fillName(key: string, stamps: Stamps): FillName {
    let stamp = this.#stampTags.get(stamps);
    if (stamp === undefined) {
      stamp = this.tagOf(Buffer.from(stamps.withInserts));
      this.#stampTags.set(stamps, stamp);
    }
    return { key, stamp };
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
