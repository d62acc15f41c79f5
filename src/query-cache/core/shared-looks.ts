/**
 * Looks in the shared store. Who asks for a key while a look is under way shares it: whatever it finds, its
 * stamp is compared.
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
  /** Whether the key had no entry in memory, though it was known under which stamps it would be filled. */
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

  underWay(key: string): Look<E> | undefined {
    return this.#underWay.get(key);
  }

  /**
   * To be called only while none is under way.
   *
   * @param expected the stamps that a fill would have if nothing has changed: its lock is asked for too.
   */
  begin(key: string, expected?: Stamps, headStart?: HeadStart): Look<E> {
    const entry = this.#fetch(key).finally(() => this.#underWay.delete(key));
    const lock = expected && this.fills.acquireEarly(this.fillName(key, expected));
    const look = { entry, lock, headStart, isCold: expected !== undefined };
    this.#underWay.set(key, look);
    return look;
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
