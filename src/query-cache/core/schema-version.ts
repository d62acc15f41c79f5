/**
 * The version of the database's schema: a table of its own among the versions, on which every
 * answer depends and which every statement that may change the schema touches. Beside it lies the version
 * that a write to anything replaces: every answer depends on that too, so nobody has to know all tables.
 *
 * What a statement reads and writes is told under a catalogue. An instance whose catalogue was
 * loaded under another version of the schema than the present one would tell it wrongly, so it
 * serves nothing and announces its writes as writes to everything until it has loaded it anew.
 */
import { WHOLE_TABLE } from './version-name.js';
import { isInDoubt, parseEpoch } from './version-format.js';
import type { TableReading, TableVersionNames } from './version-store.js';

/** No table of a database has such a name: those have a schema and a dot. */
export const SCHEMA = '#schema';

/** The version of {@link SCHEMA} that is replaced by every write of which is not known what it touches. */
export const ANYTHING = 'anything';

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

/** Which version of the schema the catalogue at hand was loaded under. */
export interface KnownSchemaVersion {
  /** Whether the catalogue belongs to the version; where it does not, it will be loaded anew. */
  isCurrent(version: string | undefined): boolean;
}
