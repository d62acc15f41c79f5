/** The stored answers shared by all instances (L2). Nothing that correctness needs depends on it. */

/** A stored answer. */
export interface CacheEntry {
  /** The epoch and versions read before the SELECT started (stamp.ts). */
  readonly stamp: string;
  /** The answer: UTF-8 JSON for HTTP, or the typed encoding of value-codec.ts. */
  readonly body: Buffer;
  /** Whether the answer had no row. */
  readonly empty: boolean;
  /** Opaque part of the entity tag, without quotes. */
  readonly tag: string;
  /** Wall clock, milliseconds since the Unix epoch. */
  readonly createdAtMs: number;
  /** Wall clock, milliseconds since the Unix epoch. */
  readonly expiresAtMs: number;
  /** Response headers that the query derived from its rows, such as `link` (response-headers.ts). */
  readonly headers: Readonly<Record<string, string>>;
}

export abstract class EntryStore {
  /** The entry, or `undefined` when there is none, it has expired or cannot be decoded. Rejects on an outage. */
  abstract get(key: string): Promise<CacheEntry | undefined>;
  /**
   * Stores until `entry.expiresAtMs`. Rejects when it cannot be stored.
   *
   * @param onSent called once nothing that this process sends to the store can overtake it.
   */
  abstract set(key: string, entry: CacheEntry, onSent?: () => void): Promise<void>;

  /** Resolves when nothing is on its way any more, when the application stops. Never rejects. */
  drain(): Promise<void> {
    return Promise.resolve();
  }
}

/** The entries kept in this process (L1). */
export interface LocalEntries<E extends CacheEntry> {
  get(key: string): E | undefined;
  set(key: string, entry: CacheEntry): E;
}

/** One fill of a key among all instances: a lock with an owner and a lease. */
export abstract class FillLock {
  /** Takes the lock for `leaseMs`, also again for its owner; `false` when another holds it. Rejects on an outage. */
  abstract acquire(key: string, owner: string, leaseMs: number): Promise<boolean>;
  /** Gives the lock back, only when `owner` still holds it. */
  abstract release(key: string, owner: string): Promise<void>;

  /**
   * As `acquire`, where nothing is stored under the key, in one round trip with a look at the entry in the same turn;
   * `undefined` where something is stored, or where that would save no round trip.
   */
  acquireUnlessStored(
    _key: string,
    _owner: string,
    _leaseMs: number,
  ): Promise<boolean | undefined> {
    return Promise.resolve(undefined);
  }
}
