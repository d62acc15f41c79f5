/**
 * A stamp is the epoch and the versions of all dependencies as one text, read before the SELECT
 * started. Two stamps are equal only when no write to any dependency began in between.
 */
import type { TableDependency } from './dependency.js';
import type { TableReading } from './version-store.js';

/** The two stamps an entry may carry for one reading. */
export interface Stamps {
  /** With the versions that inserts of unknown keys replace. */
  readonly withInserts: string;
  /** Without them, for answers that have a row for every key asked for. */
  readonly withoutInserts: string;
}

/**
 * Builds the stamps of a reading made for the dependencies, in their order, where all versions
 * are present.
 */
export function stampsOf(
  dependencies: readonly TableDependency[],
  readings: readonly TableReading[],
): Stamps {
  let base = '';
  let inserts = '';
  dependencies.forEach((dependency, index) => {
    const reading = readings[index];
    base += `${dependency.table}@${reading?.epoch}`;
    dependency.names.forEach((name, position) => {
      base += `\n${name}:${reading?.versions[position]}`;
    });
    base += '\n';
    if (dependency.insertName !== undefined) {
      inserts += `+${dependency.insertName}:${reading?.versions[dependency.names.length]}\n`;
    }
  });
  return { withInserts: base + inserts, withoutInserts: base };
}

export function matches(stamp: string, stamps: Stamps): boolean {
  return stamp === stamps.withoutInserts || stamp === stamps.withInserts;
}
