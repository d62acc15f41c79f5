/** From what the outbox says to what was touched, under the catalogue at hand. */
import { tablesOfRows, type Catalogue, type TouchedTable } from '../../query-cache/index.js';
import { EVERY_TABLE } from './capture-sql.js';
import type { OutboxRecord } from './outbox-record.js';

/**
 * `anything` where the catalogue does not know the table: it may belong to others. `schema` where the
 * row speaks of every table: whoever wrote it did not know what had been done.
 */
export function touchedByRecord(
  { table, regions }: OutboxRecord,
  catalogue: Catalogue,
): readonly TouchedTable[] | 'anything' | 'schema' {
  if (table === EVERY_TABLE) return 'schema';
  const facts = catalogue.tableById(table);
  if (!facts) return 'anything';
  return tablesOfRows(facts, regions, catalogue) ?? 'anything';
}
