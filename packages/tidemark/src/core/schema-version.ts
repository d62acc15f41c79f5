/**
 * The version of the database's schema is stored as the version of a table: every answer depends on it, and every
 * statement that may change the schema replaces it. Next to it is the version that a write to all tables replaces, so
 * that no list of all tables is needed.
 *
 * Each bucket of the store has a copy of both, and an answer depends on the copies in the buckets of its tables. So no
 * answer waits for a server that has none of its tables. A statement that may change the schema, and a write to all
 * tables, replace all copies.
 *
 * An instance whose catalog was loaded under another version of the schema would misread statements. Until it has
 * reloaded the catalog, it serves nothing, and its writes count as writes to all tables.
 */
import { allBuckets, inBucket } from './buckets.js';
import { isInDoubt, parseEpoch, WHOLE_TABLE } from './versions.js';
import type { TableReading, TableVersionNames, VersionStore } from './ports/version-store.js';

/** The copy in bucket 0; {@link schemaIn} names the others. */
export const SCHEMA = '#schema';

/** The version of the schema's tables that every write to unknown tables replaces. */
export const ANYTHING = 'all-tables';

/** The table that holds the bucket's copy. */
export function schemaIn(bucket: number): string {
  return inBucket(SCHEMA, bucket);
}

/** The tables that hold the copies, by bucket. */
export function schemaTables(store: Pick<VersionStore, 'buckets'>): readonly string[] {
  return allBuckets(store).map(schemaIn);
}

export function schemaDependency(bucket: number): TableVersionNames {
  return { table: schemaIn(bucket), names: [WHOLE_TABLE, ANYTHING] };
}

/** What a change of the schema replaces in the bucket. */
export function schemaWrite(bucket: number): TableVersionNames {
  return { table: schemaIn(bucket), names: [WHOLE_TABLE] };
}

/** The version of the schema as one text; `undefined` while it is in doubt or not trusted. */
export function schemaVersionOf(reading: TableReading | undefined): string | undefined {
  const version = reading?.versions[0];
  if (!reading?.epoch || version === undefined || isInDoubt(version)) return undefined;
  const { node, isSettling } = parseEpoch(reading.epoch);
  return isSettling || node !== reading.node ? undefined : `${reading.epoch} ${version}`;
}

/** The versions of the schema under which the current catalog was loaded. */
export interface KnownSchemaVersion {
  /** Whether the catalog belongs to the bucket's version; if not, the catalog is reloaded later. */
  isOfVersion(bucket: number, version: string | undefined): boolean;
}
