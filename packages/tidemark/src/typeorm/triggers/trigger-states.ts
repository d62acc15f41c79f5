/** The state of the triggers of tables, and the tables that should have triggers. */
import type { DataSource } from 'typeorm';
import { captureOf } from '../../postgres/catalog/catalog-tables.js';
import { CAPTURES } from '../../postgres/catalog/relation-queries.js';
import type { CaptureTriggers, Catalog, TableFacts } from '../../core/table-facts.js';
import type { RunSql } from '../../postgres/postgres-client.js';
import { captureBody } from '../../postgres/capture/capture-sql.js';
import { CAPTURE_EVENTS, type OutboxObjects } from '../../postgres/capture/outbox-objects.js';

/** Whether a table has the triggers of a namespace. */
export interface TriggerState {
  /** `schema.name` */
  readonly table: string;
  /**
   * `missing`: also without an outbox; `outdated`: created for other columns or by another release; `disabled`:
   * disabled, or not fired in sessions that disable triggers.
   */
  readonly state: 'installed' | 'missing' | 'outdated' | 'disabled';
}

export interface StateOfTable {
  readonly table: TableFacts;
  readonly state: TriggerState['state'];
}

export async function triggerStates(
  tables: readonly TableFacts[],
  objects: OutboxObjects,
  run: RunSql,
): Promise<readonly StateOfTable[]> {
  const rows = await run(CAPTURES);
  return tables.map((table) => {
    const captures = rows.filter((row) => row['table'] === table.id).map(captureOf);
    return { table, state: stateOf(captures, table, objects) };
  });
}

export function stateOf(
  captures: readonly CaptureTriggers[],
  table: TableFacts,
  objects: OutboxObjects,
): TriggerState['state'] {
  const own = captures.find(
    ({ schema, count }) => schema === objects.schema && count >= CAPTURE_EVENTS.length,
  );
  if (!own) return 'missing';
  // First: its repair also repairs the function.
  if (!own.areEnabled) return 'disabled';
  return own.source === captureBody(table, objects) ? 'installed' : 'outdated';
}

/** The tables of entities and of their relations, and the partitions and children of those tables. */
export function tablesOfEntities(
  { entityMetadatas }: DataSource,
  catalog: Catalog,
): readonly TableFacts[] {
  const tables = new Map<string, TableFacts>();
  for (const { schema, tableName } of entityMetadatas) {
    const facts = catalog.table(schema, tableName);
    for (const id of facts ? [facts.id, ...facts.relatives] : []) {
      const member = catalog.tableById(id);
      if (member && canHaveTriggers(member, catalog)) tables.set(id, member);
    }
  }
  return [...tables.values()].toSorted((a, b) => a.id.localeCompare(b.id));
}

/** If triggers need the changed rows, PostgreSQL refuses writes that reach a foreign partition. */
function canHaveTriggers({ kind, relatives }: TableFacts, catalog: Catalog): boolean {
  if (kind !== 'partitioned') return kind === 'table';
  return !relatives.some((id) => catalog.tableById(id)?.kind === 'foreign');
}
