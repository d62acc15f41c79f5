/**
 * Hashes of version names, of 32 bits: an entry in memory keeps them instead of its names, which would take several
 * times the memory. Two of a hundred thousand names may share a hash, so only statistics may depend on them.
 */
import type { TableVersionNames } from '../core/ports/version-store.js';

/** FNV-1a. */
const OFFSET = 0x811c9dc5 | 0;
const PRIME = 0x01000193;

/** More hashes are a set: an entry is then asked for a hash, instead of being found by each of its hashes. */
const MAX_LISTED = 100;

export type VersionHashes = readonly number[] | ReadonlySet<number>;

export function versionHashes(tables: readonly TableVersionNames[]): VersionHashes {
  const hashes = listedHashes(tables);
  // The copy has no spare slots.
  return hashes.length > MAX_LISTED ? new Set(hashes) : hashes.slice();
}

export function listedHashes(tables: readonly TableVersionNames[]): readonly number[] {
  return tables.flatMap(({ table, names }) => {
    const ofTable = hashOf('\0', hashOf(table, OFFSET));
    return names.map((name) => hashOf(name, ofTable));
  });
}

function hashOf(text: string, seed: number): number {
  let hash = seed;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), PRIME);
  }
  return hash;
}
