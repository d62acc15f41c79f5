/**
 * The version of the database's schema is stored as the version of a table: every answer depends on it, and every
 * statement that may change the schema replaces it. Next to it is the version that a write to all tables replaces, so
 * that no list of all tables is needed.
 *
 * An instance whose catalog was loaded under another version of the schema would misread statements. Until it has
 * reloaded the catalog, it serves nothing, and its writes count as writes to all tables.
 */
import { isInDoubt, parseEpoch, WHOLE_TABLE } from './versions.js';
import type { TableReading, TableVersionNames } from './ports/version-store.js';

/** No table has such a name: table names have a schema and a dot. */
export const SCHEMA = '#schema';

/** The version of {@link SCHEMA} that every write to unknown tables replaces. */
export const ANYTHING = 'all-tables';

export const SCHEMA_DEPENDENCY: TableVersionNames = {
  table: SCHEMA,
  names: [WHOLE_TABLE, ANYTHING],
};

/** The version of the schema as one text; `undefined` while it is in doubt or not trusted. */
export function schemaVersionOf(reading: TableReading | undefined): string | undefined {
  const version = reading?.versions[0];
  if (!reading?.epoch || version === undefined || isInDoubt(version)) return undefined;
  const { node, isSettling } = parseEpoch(reading.epoch);
  return isSettling || node !== reading.node ? undefined : `${reading.epoch} ${version}`;
}

/** The version of the schema under which the current catalog was loaded. */
export interface KnownSchemaVersion {
  /** Whether the catalog belongs to the version; if not, the catalog is reloaded later. */
  isOfVersion(version: string | undefined): boolean;
}
