import { LRUCache } from 'lru-cache';
import type { CacheEntry } from '../core/ports/entry-store.js';
import type { TableVersionNames } from '../core/ports/version-store.js';
import { EntriesByRegion } from './entries-by-region.js';
import { L1Entry } from './l1-entry.js';

/**
 * The entries kept in this process (L1), bounded in bytes: the least recently used ones go first. The reader compares
 * stamps and expiry.
 */
export class L1Cache {
  readonly #entries: LRUCache<string, L1Entry>;
  readonly #byRegion = new EntriesByRegion();

  /** `maxBytes` is at least 1. A larger entry is not kept. */
  constructor(maxBytes: number) {
    this.#entries = new LRUCache({
      maxSize: Math.max(1, Math.floor(maxBytes)),
      sizeCalculation: (entry, key) => entry.bytes + key.length,
      dispose: (entry) => this.#byRegion.delete(entry),
    });
  }

  /** Memory of the entries, in bytes. */
  get bytes(): number {
    return this.#entries.calculatedSize;
  }

  /** Number of entries. */
  get size(): number {
    return this.#entries.size;
  }

  get(key: string): L1Entry | undefined {
    return this.#entries.get(key);
  }

  /**
   * Returns the entry as kept, even if it is too large to be kept.
   *
   * @param tables the versions that the answer depends on.
   */
  set(key: string, entry: CacheEntry, tables: readonly TableVersionNames[]): L1Entry {
    const kept = new L1Entry(entry, tables);
    if (kept.isCompressible) kept.onGrown = () => this.#resize(key, kept);
    this.#entries.set(key, kept);
    if (this.#entries.peek(key) === kept) this.#byRegion.add(kept);
    return kept;
  }

  /**
   * How many entries a write of these versions has ended. The entries stay, and each is counted for one write alone.
   * Entries that have ended otherwise, by time or by writes of other instances, count too while they are kept.
   * Of answers that depend on more than 100 versions, the 1,000 latest count.
   */
  ended(tables: readonly TableVersionNames[]): number {
    return this.#byRegion.take(tables);
  }

  #resize(key: string, entry: L1Entry): void {
    if (this.#entries.peek(key) !== entry) return;
    const isIndexed = this.#byRegion.has(entry);
    // Setting the same value again would keep its old size.
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    if (isIndexed && this.#entries.peek(key) === entry) this.#byRegion.add(entry);
  }
}
