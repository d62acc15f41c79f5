/** What a write touched in one table, and the versions it therefore replaces. */
import { unknownVersion, valueVersion, WHOLE_TABLE } from './version-name.js';

/** With more values than these a write replaces `d?` instead of one version for each value. */
export const MOST_VALUES = 100;

export interface TouchedTable {
  /** The table's identity, `schema.name`. */
  readonly table: string;
  /** Every dimension: the values of the rows' old and new images, or `unknown`. */
  readonly dimensions: ReadonlyMap<string, ReadonlySet<string> | 'unknown'>;
}

/** The versions to replace, as version-name.ts writes them. */
export function versionNamesOf({ dimensions }: TouchedTable): string[] {
  const names = [WHOLE_TABLE];
  for (const [dimension, values] of dimensions) {
    if (values === 'unknown' || values.size > MOST_VALUES) names.push(unknownVersion(dimension));
    else for (const value of values) names.push(valueVersion(dimension, value));
  }
  return names;
}

/**
 * Both together, of one table. A dimension with too many values is not kept value by value: what a
 * thousand writes have touched would otherwise be copied a thousand times.
 */
export function mergeTouched(a: TouchedTable, b: TouchedTable): TouchedTable {
  const dimensions = new Map<string, ReadonlySet<string> | 'unknown'>();
  for (const dimension of new Set([...a.dimensions.keys(), ...b.dimensions.keys()])) {
    // A dimension one of them does not speak of has changed there in an unknown way.
    const [left = 'unknown', right = 'unknown'] = [
      a.dimensions.get(dimension),
      b.dimensions.get(dimension),
    ];
    dimensions.set(dimension, mergeValues(left, right));
  }
  return { table: a.table, dimensions };
}

function mergeValues(
  left: ReadonlySet<string> | 'unknown',
  right: ReadonlySet<string> | 'unknown',
): ReadonlySet<string> | 'unknown' {
  if (left === 'unknown' || right === 'unknown') return 'unknown';
  const values = new Set([...left, ...right]);
  return values.size > MOST_VALUES ? 'unknown' : values;
}
