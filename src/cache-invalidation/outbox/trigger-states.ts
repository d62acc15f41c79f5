/** How the triggers of tables stand, and which tables are to have them. */
import type { DataSource } from 'typeorm';
import type { Catalogue, TableFacts } from '../../query-cache/index.js';
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

const FOUND = `
SELECT n.nspname || '.' || c.relname AS table,
       CASE WHEN p.proconfig @> '{client_min_messages=notice}' THEN p.prosrc END AS source,
       CASE WHEN bool_and(t.tgenabled = 'A') THEN 'A' ELSE 'D' END AS enabled,
       count(*)::int AS count
  FROM pg_catalog.pg_trigger t
  JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
  JOIN pg_catalog.pg_namespace f ON f.oid = p.pronamespace
 WHERE t.tgname = ANY ($1::text[]) AND f.nspname = $2
   AND EXISTS (SELECT FROM pg_catalog.pg_class o WHERE o.relname = 'outbox' AND o.relnamespace = f.oid)
 GROUP BY 1, p.oid`;

interface FoundTriggers {
  readonly table: string;
  readonly source: string | null;
  readonly enabled: string;
  readonly count: number;
}

export async function triggerStates(
  tables: readonly TableFacts[],
  objects: OutboxObjects,
  run: RunSql,
): Promise<readonly TriggerState[]> {
  const names = CAPTURE_EVENTS.map((event) => objects.trigger(event));
  const found = (await run(FOUND, [names, objects.schema])) as unknown as FoundTriggers[];
  const byTable = new Map(found.map((row) => [row.table, row]));
  return tables.map((facts) => {
    const body = captureBody(facts, objects);
    return { table: facts.id, state: stateOf(byTable.get(facts.id), body) };
  });
}

function stateOf(row: FoundTriggers | undefined, body: string): TriggerState['state'] {
  if (!row || row.count < CAPTURE_EVENTS.length) return 'missing';
  // First: to put that right puts the function right as well.
  if (row.enabled !== 'A') return 'disabled';
  return row.source === body ? 'installed' : 'outdated';
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
      if (member && canHaveTriggers(member)) tables.set(id, member);
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

function canHaveTriggers({ kind }: TableFacts): boolean {
  return kind === 'table' || kind === 'partitioned';
}
