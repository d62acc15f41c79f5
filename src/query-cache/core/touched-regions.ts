/** What a write touched in one table, and the versions it therefore replaces. */
import { insertVersion, unknownVersion, valueVersion, WHOLE_TABLE } from './version-name.js';

/** With more values than these a write replaces `d?` instead of one version for each value. */
export const MOST_VALUES = 100;

export interface TouchedTable {
  /** The table's identity, `schema.name`. */
  readonly table: string;
  /** Every dimension: the values of the rows' old and new images, or `unknown`. */
  readonly dimensions: ReadonlyMap<string, ReadonlySet<string> | 'unknown'>;
  /** The primary key's dimension, where some row was inserted under a key that is not known. */
  readonly insertedUnknownKeys: string | undefined;
}

/** The versions to replace, as version-name.ts writes them. */
export function versionNamesOf({ dimensions, insertedUnknownKeys }: TouchedTable): string[] {
  const names = [WHOLE_TABLE];
  for (const [dimension, values] of dimensions) {
    if (values === 'unknown' || values.size > MOST_VALUES) names.push(unknownVersion(dimension));
    else for (const value of values) names.push(valueVersion(dimension, value));
  }
  if (insertedUnknownKeys !== undefined) names.push(insertVersion(insertedUnknownKeys));
  return names;
}

/** Both together, of one table. */
export function mergeTouched(a: TouchedTable, b: TouchedTable): TouchedTable {
  const dimensions = new Map<string, ReadonlySet<string> | 'unknown'>();
  for (const dimension of new Set([...a.dimensions.keys(), ...b.dimensions.keys()])) {
    // A dimension one of them does not speak of has changed there in an unknown way.
    const [left = 'unknown', right = 'unknown'] = [
      a.dimensions.get(dimension),
      b.dimensions.get(dimension),
    ];
    const isUnknown = left === 'unknown' || right === 'unknown';
    dimensions.set(dimension, isUnknown ? 'unknown' : new Set([...left, ...right]));
  }
  return {
    table: a.table,
    dimensions,
    insertedUnknownKeys: a.insertedUnknownKeys ?? b.insertedUnknownKeys,
  };
}
