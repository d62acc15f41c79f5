import type { TableVersionNames } from '../core/ports/version-store.js';
import type { L1Entry } from './l1-entry.js';

/** Of a version on which one entry depends, such as that of a key, the entry alone: a set takes more memory. */
type Dependents = L1Entry | Set<L1Entry>;

/** The entries in memory that no known write has ended, by the versions that they depend on. */
export class EntriesByRegion {
  readonly #entries = new Set<L1Entry>();
  readonly #byTable = new Map<string, Map<string, Dependents>>();

  has(entry: L1Entry): boolean {
    return this.#entries.has(entry);
  }

  add(entry: L1Entry): void {
    this.#entries.add(entry);
    for (const { table, names } of entry.tables) {
      let byName = this.#byTable.get(table);
      if (!byName) this.#byTable.set(table, (byName = new Map<string, Dependents>()));
      for (const name of names) {
        const before = byName.get(name);
        if (before instanceof Set) before.add(entry);
        else byName.set(name, before ? new Set([before, entry]) : entry);
      }
    }
  }

  delete(entry: L1Entry): void {
    if (!this.#entries.delete(entry)) return;
    for (const { table, names } of entry.tables) {
      const byName = this.#byTable.get(table);
      if (!byName) continue;
      for (const name of names) {
        const before = byName.get(name);
        if (before instanceof Set) before.delete(entry);
        if (before === entry || (before instanceof Set && before.size === 0)) byName.delete(name);
      }
      if (byName.size === 0) this.#byTable.delete(table);
    }
  }

  /** Removes the entries that depend on these versions. Returns their number. */
  take(versions: readonly TableVersionNames[]): number {
    const before = this.#entries.size;
    for (const { table, names } of versions) {
      // All answers depend on the version of the schema (schema-version.ts). Real tables have a dot in their names.
      if (!table.includes('.')) this.#clear();
      const byName = this.#byTable.get(table);
      if (!byName) continue;
      for (const name of names) {
        const dependents = byName.get(name);
        if (dependents instanceof Set) for (const entry of dependents) this.delete(entry);
        else if (dependents) this.delete(dependents);
      }
    }
    return before - this.#entries.size;
  }

  #clear(): void {
    this.#entries.clear();
    this.#byTable.clear();
  }
}
