/** From what the outbox says to what was touched, under the catalogue at hand. */
import { tablesOfRows, type Catalogue, type TouchedTable } from '../../query-cache/index.js';
import { EVERY_TABLE } from './capture-sql.js';
import type { OutboxRecord } from './outbox-record.js';

/** `anything` where the catalogue does not know the table: it may belong to others. */
export function touchedByRecord(
  { table, regions }: OutboxRecord,
  catalogue: Catalogue,
): readonly TouchedTable[] | 'anything' {
  const facts = table === EVERY_TABLE ? undefined : catalogue.tableById(table);
  if (!facts) return 'anything';
  return tablesOfRows(facts, regions, catalogue) ?? 'anything';
}
