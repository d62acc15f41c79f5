/** The stored answers that all instances share (L2). Correctness does not depend on them. */
import type { TableVersionNames } from './version-store.js';

/** A stored answer. */
export interface CacheEntry {
  /** The epochs and versions read before the SELECT started (freshness-gate.ts). */
  readonly stamp: string;
  /** The answer: UTF-8 JSON for HTTP, or the typed encoding of value-codec.ts. */
  readonly body: Buffer;
  /** Whether the answer has no rows. */
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
  /** The entry; `undefined` if it is missing, has expired or cannot be decoded. Rejects on an outage. */
  abstract get(key: string): Promise<CacheEntry | undefined>;
  /**
   * Stores the entry until `entry.expiresAtMs`. Rejects if it cannot be stored.
   *
   * @param onSent called once no later command of this process to the store can overtake this one.
   */
  abstract set(key: string, entry: CacheEntry, onSent?: () => void): Promise<void>;

  /** Resolves when no command is in flight, when the application stops. Never rejects. */
  drain(): Promise<void> {
    return Promise.resolve();
  }
}

/** The entries kept in this process (L1). */
export interface LocalEntries<E extends CacheEntry> {
  get(key: string): E | undefined;
  /** @param tables the versions that the answer depends on; the list must not change. */
  set(key: string, entry: CacheEntry, tables: readonly TableVersionNames[]): E;
}

/** One fill per key among all instances: a lock with an owner and a lease. */
export abstract class FillLock {
  /** Takes the lock for `leaseMs`, again too for its owner; `false` if another owner holds it. Rejects on an outage. */
  abstract acquire(key: string, owner: string, leaseMs: number): Promise<boolean>;
  /** Releases the lock, only if `owner` still holds it. */
  abstract release(key: string, owner: string): Promise<void>;

  /**
   * Like `acquire`, if nothing is stored under the key, in one round trip with a read of the entry in the same turn;
   * `undefined` if something is stored, or if this would save no round trip.
   */
  acquireUnlessStored(
    _key: string,
    _owner: string,
    _leaseMs: number,
  ): Promise<boolean | undefined> {
    return Promise.resolve(undefined);
  }
}
