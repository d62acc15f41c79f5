import type { EntryStore, FillLock } from '../core/ports/entry-store.js';
import type { InstanceBoard } from '../core/ports/instance-board.js';
import type { VersionStore } from '../core/ports/version-store.js';

/** The stores of one application: in this process, in one Redis, or in a Redis Cluster. */
export interface CacheStores {
  /** Separates the keys of queries from those of other services and databases. */
  readonly scope: string;
  readonly versions: VersionStore;
  readonly entries: EntryStore;
  readonly fillLock: FillLock;
  readonly board: InstanceBoard;

  /** Waits briefly for Redis, so that a starting application can publish its writes. */
  ready(): Promise<void>;

  /** Whether answers of the bucket that were cached before this process started can be trusted. Never rejects. */
  isAttested(bucket: number): Promise<boolean>;

  /** Attests the data of a bucket to starting processes as long as `isUnbroken` returns `true`. */
  attestWhile(isUnbroken: (bucket: number) => boolean): void;

  /** Calls the listener whenever writes to the bucket may have gone unpublished. */
  onOutage(listener: (bucket: number) => void): void;

  /** Calls the listener whenever the bucket is usable again after an outage. */
  onRecovery(listener: (bucket: number) => void): void;

  /** Why the cache is degraded, in public words: without addresses and texts of errors, which are in the log. */
  degradation(): string | undefined;

  close(): Promise<void>;
}
