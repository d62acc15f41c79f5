import type { Regions } from '../core/ports/cache-events.js';

const MAX_TABLES = 8;
const MAX_NAMES = 16;
const MAX_LENGTH = 200;

/** The first regions of a list that may have thousands. */
export function brief(regions: Regions): Regions {
  return regions.slice(0, MAX_TABLES).map(({ table, names }) => ({
    table,
    names: names.slice(0, MAX_NAMES).map((name) => name.slice(0, MAX_LENGTH)),
  }));
}
