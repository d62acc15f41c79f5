/** How the triggers of tables stand, and which tables are to have them. */
import type { DataSource } from 'typeorm';
import {
  captureOf,
  CAPTURES,
  type CaptureTriggers,
  type Catalogue,
  type TableFacts,
} from '../../query-cache/index.js';
import type { RunSql } from '../run-sql.js';
import { captureBody } from './capture-sql.js';
import { CAPTURE_EVENTS, type OutboxObjects } from './outbox-objects.js';

export interface TriggerState {
  /** `schema.name` */
  readonly table: string;
  /**
   * `missing`: also where there is no outbox; `outdated`: made for other columns, or by another release;
   * `disabled`: switched off, or fired no longer in sessions that switch triggers off.
   */
  readonly state: 'installed' | 'missing' | 'outdated' | 'disabled';
}

export async function triggerStates(
  tables: readonly TableFacts[],
  objects: OutboxObjects,
  run: RunSql,
): Promise<readonly TriggerState[]> {
  const rows = await run(CAPTURES);
  return tables.map((facts) => {
    const captures = rows.filter((row) => row['table'] === facts.id).map(captureOf);
    return { table: facts.id, state: stateOf(captures, facts, objects) };
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
  // First: to put that right puts the function right as well.
  if (!own.areEnabled) return 'disabled';
  return own.source === captureBody(table, objects) ? 'installed' : 'outdated';
}

/** The tables of entities, of their relations, and the partitions and children of those. */
export function tablesOfEntities(
  { entityMetadatas }: DataSource,
  catalogue: Catalogue,
): readonly TableFacts[] {
  const tables = new Map<string, TableFacts>();
  for (const { schema, tableName, tableType } of entityMetadatas) {
    if (tableType === 'view') continue;
    const facts = catalogue.table(schema, tableName);
    const family = facts ? [facts.id, ...facts.relatives] : [];
    for (const id of family) {
      const member = catalogue.tableById(id);
      if (member && canHaveTriggers(member, catalogue)) tables.set(id, member);
    }
  }
  return [...tables.values()].toSorted((a, b) => a.id.localeCompare(b.id));
}

/** All through which the tables' rows can change: partitions, parents, children, sources of views. */
export function familiesOf(ids: readonly string[], catalogue: Catalogue): readonly TableFacts[] {
  const found = new Map<string, TableFacts>();
  const waiting = [...ids];
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    const facts = catalogue.tableById(id);
    if (!facts || found.has(id)) continue;
    found.set(id, facts);
    waiting.push(...facts.relatives, ...facts.sources);
  }
  return [...found.values()].filter(({ kind }) => kind !== 'view');
}

/** Where triggers want to see the rows, PostgreSQL refuses writes that reach a foreign partition. */
function canHaveTriggers({ kind, relatives }: TableFacts, catalogue: Catalogue): boolean {
  if (kind !== 'partitioned') return kind === 'table';
  return !relatives.some((id) => catalogue.tableById(id)?.kind === 'foreign');
}
