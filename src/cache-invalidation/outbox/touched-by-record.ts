/** From what the outbox says to what was touched, under the catalogue at hand. */
import { mergeTouched } from '../../query-cache/core/touched-regions.js';
import {
  tablesOfRows,
  type Catalogue,
  type DatabaseSchema,
  type TouchedTable,
} from '../../query-cache/index.js';
import type { TouchedVersions } from '../core/write-protocol.js';
import { versionNames } from '../touched-tables.js';
import { EVERY_TABLE } from './capture-sql.js';
import type { OutboxRecord } from './outbox-record.js';

/**
 * `anything` where the catalogue does not know the table: it may belong to others. `schema` where the
 * row speaks of every table: whoever wrote it did not know what had been done.
 */
function touchedByRecord(
  { table, regions }: OutboxRecord,
  catalogue: Catalogue,
): readonly TouchedTable[] | 'anything' | 'schema' {
  if (table === EVERY_TABLE) return 'schema';
  const facts = catalogue.tableById(table);
  if (!facts) return 'anything';
  return tablesOfRows(facts, regions, catalogue) ?? 'anything';
}

/** What a relay has to tell for rows of the outbox, under the present catalog. */
export async function touchedByRecords(
  records: readonly OutboxRecord[],
  schema: DatabaseSchema,
): Promise<TouchedVersions> {
  if (schema.isOutdated) await schema.load();
  const { catalogue } = schema;
  const touched = new Map<string, TouchedTable>();
  let [isAnything, isSchema] = [false, false];
  for (const record of records) {
    const tables = touchedByRecord(record, catalogue);
    if (typeof tables === 'string') {
      isAnything = true;
      isSchema ||= tables === 'schema';
      continue;
    }
    for (const part of tables) {
      const before = touched.get(part.table);
      touched.set(part.table, before ? mergeTouched(before, part) : part);
    }
  }
  if (isSchema) schema.markOutdated();
  if (isAnything) return isSchema ? 'schema' : 'anything';
  return (await schema.isPresent()) ? versionNames(touched) : 'anything';
}
