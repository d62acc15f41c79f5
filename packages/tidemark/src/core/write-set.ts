/** The regions that were written in one table, and the versions that the write therefore replaces. */
import type { TableVersionNames } from './ports/version-store.js';
import { unknownVersion, valueVersion, WHOLE_TABLE } from './versions.js';

/** With more values than this, a write replaces `d?` instead of one version per value. */
export const MAX_VALUES = 100;

/** Values of the old and the new rows. */
type Values = ReadonlySet<string> | 'unknown';

export interface WrittenTable {
  /** The table's identity, `schema.name`. */
  readonly table: string;
  /** Every dimension. */
  readonly dimensions: ReadonlyMap<string, Values>;
}

/** The names of the versions to replace (versions.ts). */
export function versionNamesOf({ dimensions }: WrittenTable): string[] {
  const names = [WHOLE_TABLE];
  for (const [dimension, values] of dimensions) {
    if (values === 'unknown' || values.size > MAX_VALUES) names.push(unknownVersion(dimension));
    else for (const value of values) names.push(valueVersion(dimension, value));
  }
  return names;
}

/** The version names of several tables. */
export function versionNames(
  written: ReadonlyMap<string, WrittenTable>,
): readonly TableVersionNames[] {
  return [...written.values()].map((part) => ({ table: part.table, names: versionNamesOf(part) }));
}

/**
 * The union of two write sets of one table. A dimension with too many values does not keep them: otherwise the values
 * of a thousand writes would be copied a thousand times.
 */
export function mergeWritten(a: WrittenTable, b: WrittenTable): WrittenTable {
  const names = new Set([...a.dimensions.keys(), ...b.dimensions.keys()]);
  const dimensions = [...names].map((name) => {
    return [name, mergeValues(a.dimensions.get(name), b.dimensions.get(name))] as const;
  });
  return { table: a.table, dimensions: new Map(dimensions) };
}

/** If one write set lacks a dimension, its change there is unknown. */
function mergeValues(left: Values = 'unknown', right: Values = 'unknown'): Values {
  if (left === 'unknown' || right === 'unknown') return 'unknown';
  const values = new Set([...left, ...right]);
  return values.size > MAX_VALUES ? 'unknown' : values;
}
