/** The regions of events: versions by name, whose values are masked unless they may be shown. */
import { hash } from 'node:crypto';
import type { Regions } from './ports/cache-events.js';
import type { TableVersionNames } from './ports/version-store.js';
import { MAX_VALUES } from './write-set.js';
import { dimensionOf, isValueVersion } from './versions.js';

const DIGEST_DIGITS = 6;

/**
 * The regions of a list of version names, as events have them: of each dimension of a table at most 100 values. The
 * list must not change: its regions are kept as long as the list.
 */
export type RegionNames = (tables: readonly TableVersionNames[]) => Regions;

/**
 * @param exposeValues the dimensions whose values are shown: all, none, or the listed ones (`schema.table.column`, for a
 *   composite key `schema.table.column,column`). Regions have a digest of 6 hex digits of any other value, which is the
 *   same in every process.
 */
export function regionNamesOf(exposeValues: boolean | readonly string[]): RegionNames {
  const exposed = typeof exposeValues === 'boolean' ? exposeValues : new Set(exposeValues);
  const known = new WeakMap<readonly TableVersionNames[], Regions>();
  return (tables) => {
    let regions = known.get(tables);
    if (!regions) {
      regions = tables.map((versions) => shownOf(versions, exposed));
      known.set(tables, regions);
    }
    return regions;
  };
}

function shownOf(
  { table, names }: TableVersionNames,
  exposed: boolean | ReadonlySet<string>,
): TableVersionNames {
  const shown: string[] = [];
  const values = new Map<string, number>();
  for (const name of names) {
    const dimension = isValueVersion(name) ? dimensionOf(name) : undefined;
    if (dimension === undefined) {
      shown.push(name);
      continue;
    }
    const count = (values.get(dimension) ?? 0) + 1;
    values.set(dimension, count);
    if (count > MAX_VALUES) continue;
    const isShown =
      typeof exposed === 'boolean'
        ? exposed
        : exposed.has(`${table}.${decodeURIComponent(dimension)}`);
    shown.push(isShown ? name : `${dimension}=${digestOf(table, name)}`);
  }
  return { table, names: shown };
}

/** PostgreSQL has no names and texts with a zero character, so it separates the parts. */
function digestOf(table: string, name: string): string {
  return hash('sha256', `${table}\0${name}`, 'hex').slice(0, DIGEST_DIGITS);
}
