/**
 * The versions that a relay publishes for rows of the outbox, under the current catalog. A row of a writer that could not
 * reach the version store stands for every table, or for all tables of one bucket, unless its writer has understood its
 * statements (understood-write.ts).
 */
import type { TableVersionNames } from '../../core/ports/version-store.js';
import { schemaTables } from '../../core/schema-version.js';
import { WHOLE_TABLE } from '../../core/versions.js';
import type { WrittenVersions } from '../../core/write-protocol.js';
import { mergeWritten, versionNames, type WrittenTable } from '../../core/write-set.js';
import type { CaptureParts, CatalogSource } from './capture-parts.js';
import { writtenTables, type OutboxRecord } from './captured-writes.js';
import { EVERY_TABLE } from './outbox-objects.js';
import { understoodTables } from './understood-write.js';

export async function writtenByRecords(
  records: readonly OutboxRecord[],
  { schema, store }: Pick<CaptureParts, 'schema' | 'store'>,
): Promise<WrittenVersions> {
  const unpublished = new Set([EVERY_TABLE, ...schemaTables(store)]);
  const doubtful = new Set<string>();
  const exact: OutboxRecord[] = [];
  for (const record of records) {
    if (unpublished.has(record.table) && !record.understood) doubtful.add(record.table);
    else exact.push(record);
  }
  if (doubtful.has(EVERY_TABLE)) {
    schema.markOutdated();
    return 'schema';
  }
  const written = await writtenBy(exact, unpublished, schema);
  if (doubtful.size === 0) return written;
  if (written === 'all-tables') return 'schema';
  return [...Array.from(doubtful, (table) => ({ table, names: [WHOLE_TABLE] })), ...written];
}

async function writtenBy(
  records: readonly OutboxRecord[],
  unpublished: ReadonlySet<string>,
  schema: CatalogSource,
): Promise<'all-tables' | readonly TableVersionNames[]> {
  if (records.length === 0) return [];
  if (schema.isOutdated) await schema.load();
  const { catalog } = schema;
  const parts = records.flatMap((record) =>
    record.understood && unpublished.has(record.table)
      ? understoodTables(record.understood, catalog)
      : writtenTables(record, catalog),
  );
  const written = new Map<string, WrittenTable>();
  for (const part of parts) {
    if (part === 'all-tables') return 'all-tables';
    const before = written.get(part.table);
    written.set(part.table, before ? mergeWritten(before, part) : part);
  }
  return (await schema.isCurrent()) ? versionNames(written) : 'all-tables';
}
