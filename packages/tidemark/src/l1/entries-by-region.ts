import type { TableVersionNames } from '../core/ports/version-store.js';
import type { L1Entry } from './l1-entry.js';
import { listedHashes } from './version-hashes.js';

/** Of a version on which one entry depends, such as that of a key, the entry alone: a set takes more memory. */
type Dependents = L1Entry | Set<L1Entry>;

/** A write looks at each entry with a set of hashes: 10,000 of them take it 5 ms. Of more, the oldest is left out. */
const MAX_WIDE = 1_000;

/** The entries in memory that no known write has ended, by the hashes of the versions that they depend on. */
export class EntriesByRegion {
  readonly #entries = new Set<L1Entry>();
  readonly #byHash = new Map<number, Dependents>();
  /** Those with a set of hashes, which are in `#byHash` under none of them. */
  readonly #wide = new Set<L1Entry>();

  has(entry: L1Entry): boolean {
    return this.#entries.has(entry);
  }

  add(entry: L1Entry): void {
    const { versions } = entry;
    this.#entries.add(entry);
    if (versions instanceof Set) {
      this.#wide.add(entry);
      const [oldest] = this.#wide;
      if (oldest && this.#wide.size > MAX_WIDE) this.delete(oldest);
      return;
    }
    for (const hash of versions) {
      const before = this.#byHash.get(hash);
      if (before instanceof Set) before.add(entry);
      else if (before !== entry) this.#byHash.set(hash, before ? new Set([before, entry]) : entry);
    }
  }

  delete(entry: L1Entry): void {
    if (!this.#entries.delete(entry) || this.#wide.delete(entry)) return;
    for (const hash of entry.versions) {
      const before = this.#byHash.get(hash);
      if (before instanceof Set) before.delete(entry);
      if (before === entry || (before instanceof Set && before.size === 0)) {
        this.#byHash.delete(hash);
      }
    }
  }

  /** Removes the entries that depend on these versions. Returns their number. */
  take(versions: readonly TableVersionNames[]): number {
    const before = this.#entries.size;
    // All answers depend on the version of the schema (schema-version.ts). Real tables have a dot in their names.
    if (versions.some(({ table }) => !table.includes('.'))) this.#clear();
    if (this.#entries.size === 0) return before;
    const hashes = listedHashes(versions);
    for (const hash of hashes) {
      const dependents = this.#byHash.get(hash);
      if (dependents instanceof Set) for (const entry of dependents) this.delete(entry);
      else if (dependents) this.delete(dependents);
    }
    for (const entry of this.#wide) {
      const own = entry.versions;
      if (own instanceof Set && hashes.some((hash) => own.has(hash))) this.delete(entry);
    }
    return before - this.#entries.size;
  }

  #clear(): void {
    this.#entries.clear();
    this.#byHash.clear();
    this.#wide.clear();
  }
}
