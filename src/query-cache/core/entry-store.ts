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
  /** Response headers that the query derived from its rows, such as `link`. */
  readonly headers: Readonly<Record<string, string>>;
}

export abstract class EntryStore {
  /** The entry, or `undefined` when there is none, it has expired or cannot be decoded. Rejects on an outage. */
  abstract get(key: string): Promise<CacheEntry | undefined>;
  /** Stores until `entry.expiresAtMs`. Rejects when it cannot be stored. */
  abstract set(key: string, entry: CacheEntry): Promise<void>;
}

/** One fill among all instances: a lock with an owner and a lease. */
export abstract class FillLock {
  /** Takes the lock for `leaseMs`; `false` when another owner holds it. Rejects on an outage. */
  abstract acquire(name: string, owner: string, leaseMs: number): Promise<boolean>;
  /** Gives the lock back, only when `owner` still holds it. */
  abstract release(name: string, owner: string): Promise<void>;
}
