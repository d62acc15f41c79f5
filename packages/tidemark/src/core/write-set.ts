/** The regions that a write written in one table, and the versions that it therefore replaces. */
import type { TableVersionNames } from './ports/version-store.js';
import { unknownVersion, valueVersion, WHOLE_TABLE } from './version-name.js';

/** With more values than these a write replaces `d?` instead of one version for each value. */
export const MAX_VALUES = 100;

/** Values of the rows' old and new images. */
type Values = ReadonlySet<string> | 'unknown';

export interface WrittenTable {
  /** The table's identity, `schema.name`. */
  readonly table: string;
  /** Every dimension. */
  readonly dimensions: ReadonlyMap<string, Values>;
}

/** The versions to replace, as version-name.ts writes them. */
export function versionNamesOf({ dimensions }: WrittenTable): string[] {
  const names = [WHOLE_TABLE];
  for (const [dimension, values] of dimensions) {
    if (values === 'unknown' || values.size > MAX_VALUES) names.push(unknownVersion(dimension));
    else for (const value of values) names.push(valueVersion(dimension, value));
  }
  return names;
}

/** The versions of several tables. */
export function versionNames(
  written: ReadonlyMap<string, WrittenTable>,
): readonly TableVersionNames[] {
  return [...written.values()].map((part) => ({ table: part.table, names: versionNamesOf(part) }));
}

/**
 * Both together, of one table. A dimension with too many values is not kept value by value: the
 * values of a thousand writes would otherwise be copied a thousand times.
 */
export function mergeWritten(a: WrittenTable, b: WrittenTable): WrittenTable {
  const names = new Set([...a.dimensions.keys(), ...b.dimensions.keys()]);
  const dimensions = [...names].map((name) => {
    return [name, mergeValues(a.dimensions.get(name), b.dimensions.get(name))] as const;
  });
  return { table: a.table, dimensions: new Map(dimensions) };
}

/** A dimension that one of them does not name has changed there in an unknown way. */
function mergeValues(left: Values = 'unknown', right: Values = 'unknown'): Values {
  if (left === 'unknown' || right === 'unknown') return 'unknown';
  const values = new Set([...left, ...right]);
  return values.size > MAX_VALUES ? 'unknown' : values;
}
