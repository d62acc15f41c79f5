import { LRUCache } from 'lru-cache';
import type { CacheEntry } from '../core/ports/entry-store.js';
import { L1Entry } from './l1-entry.js';

/**
 * The entries kept in this process (L1), bounded in bytes: the least recently used ones go first. The reader compares
 * stamps and expiry.
 */
export class L1Cache {
  readonly #entries: LRUCache<string, L1Entry>;

  /** `maxBytes` is at least 1. A larger entry is not kept. */
  constructor(maxBytes: number) {
    this.#entries = new LRUCache({
      maxSize: Math.max(1, Math.floor(maxBytes)),
      sizeCalculation: (entry, key) => entry.bytes + key.length,
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

  /** Returns the entry as kept, even if it is too large to be kept. */
  set(key: string, entry: CacheEntry): L1Entry {
    const kept = entry instanceof L1Entry ? entry : new L1Entry(entry);
    if (kept.isCompressible) kept.onGrown = () => this.#resize(key, kept);
    this.#entries.set(key, kept);
    return kept;
  }

  #resize(key: string, entry: L1Entry): void {
    if (this.#entries.peek(key) !== entry) return;
    // Setting the same value again would keep its old size.
    this.#entries.delete(key);
    this.#entries.set(key, entry);
  }
}
