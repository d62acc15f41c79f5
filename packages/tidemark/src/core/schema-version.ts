/**
 * The version of the database's schema lies among the versions as that of a table: every answer depends on it, and
 * every statement that may change the schema replaces it. Beside it lies the version that a write to anything
 * replaces, so that no list of all tables is needed.
 *
 * An instance whose catalog was loaded under another version of the schema would take statements for something
 * else. It serves nothing, and its writes count as writes to everything, until it has loaded the catalog again.
 */
import { WHOLE_TABLE } from './version-name.js';
import { isInDoubt, parseEpoch } from './version-format.js';
import type { TableReading, TableVersionNames } from './ports/version-store.js';

/** No table of a database has such a name: those have a schema and a dot. */
export const SCHEMA = '#schema';

/** The version of {@link SCHEMA} that every write to unknown tables replaces. */
export const ANYTHING = 'all-tables';

export const SCHEMA_DEPENDENCY: TableVersionNames = {
  table: SCHEMA,
  names: [WHOLE_TABLE, ANYTHING],
};

/** The version of the schema in one text; `undefined` while it is in doubt or not to be trusted. */
export function schemaVersionOf(reading: TableReading | undefined): string | undefined {
  const version = reading?.versions[0];
  if (!reading?.epoch || version === undefined || isInDoubt(version)) return undefined;
  const { node, isSettling } = parseEpoch(reading.epoch);
  return isSettling || node !== reading.node ? undefined : `${reading.epoch} ${version}`;
}

/** Which version of the schema the catalog at hand was loaded under. */
export interface KnownSchemaVersion {
  /** Whether the catalog belongs to the version; where it does not, it is loaded again later. */
  isOfVersion(version: string | undefined): boolean;
}
