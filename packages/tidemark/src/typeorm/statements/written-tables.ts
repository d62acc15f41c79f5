/** Derives the write set of a statement from its analysis, its answer and the notices of the triggers. */
import { isTemporary } from '../../postgres/catalog/session-names.js';
import { writtenTables } from '../../postgres/capture/captured-writes.js';
import type { WrittenTable } from '../../core/write-set.js';
import type { Catalog, TableFacts } from '../../core/table-facts.js';
import type { WriteAction, WriteTarget } from '../../core/statement-analysis.js';
import type { ConnectionSession } from './connection-session.js';
import type { StatementContext } from './statement-context.js';

type HasTriggers = (table: TableFacts) => boolean;

export interface StatementEffect {
  /** May have changed any table: its targets are unknown. */
  readonly isAnything: boolean;
  /** Other tables without triggers may have changed: the server must be queried. */
  readonly mayHaveMore: boolean;
  /** Tables without triggers that the statement names. */
  readonly withoutTriggers: readonly TableFacts[];
  /** Tables with triggers whose rows were changed without a notice. */
  readonly silent: readonly string[];
}

/** @param hasTriggers whether a table has the triggers, according to the catalog. */
export function effectOf(
  { analysis, noticed, sessionCatalog }: StatementContext,
  rawResults: unknown,
  hasTriggers: HasTriggers,
): StatementEffect {
  if (analysis?.kind !== 'write' || !sessionCatalog) {
    return { isAnything: true, mayHaveMore: false, withoutTriggers: [], silent: [] };
  }
  let mayHaveMore = analysis.hasUnknownTargets;
  const withoutTriggers = new Set<TableFacts>();
  const silent: string[] = [];
  for (const target of analysis.targets) {
    const table = sessionCatalog.tableById(target.table);
    const rowCount = rowCountOf(target, rawResults);
    // User triggers may write even if no row is counted, and rules may write instead of the statement.
    const reachesMore = !table || reaches(table, target.actions, sessionCatalog, hasTriggers);
    mayHaveMore ||= reachesMore;
    if (!table || rowCount === 0) continue;
    for (const member of familyOf(table, sessionCatalog)) {
      // Only this session sees a temporary table.
      if (!hasTriggers(member) && !isTemporary(member)) withoutTriggers.add(member);
    }
    if (!hasTriggers(table) || noticed.has(table.id)) continue;
    if (reachesMore || (rowCount === undefined && !target.actions.includes('truncate'))) {
      mayHaveMore = true;
    } else silent.push(table.id);
  }
  return {
    isAnything: silent.length > 0,
    mayHaveMore,
    withoutTriggers: [...withoutTriggers],
    silent,
  };
}

/** Whether the statement has written, or may have. */
export function hasWritten(
  { isAnything, mayHaveMore, withoutTriggers }: StatementEffect,
  { noticed }: StatementContext,
): boolean {
  return isAnything || mayHaveMore || withoutTriggers.length > 0 || noticed.size > 0;
}

/** Keeps the effect for the COMMIT of the open transaction. */
export function fileEffect(effect: StatementEffect, session: ConnectionSession): void {
  const { isAnything, mayHaveMore, withoutTriggers, silent } = effect;
  const { log, parts } = session;
  if (isAnything) log.add('all-tables');
  for (const part of wholeTables(withoutTriggers, parts.schema.catalog)) log.add(part);
  log.mayHaveMore ||= mayHaveMore;
  withoutTriggers.forEach((table) => parts.triggers.warnOf(table));
  if (silent.length === 0) return;
  session.changeSchema();
  parts.triggers.doubt(silent);
  // The session may have lost the setting for notices.
  session.introduce();
}

/**
 * Whether the write may change tables without triggers: through user triggers, rules and functions, which may write any
 * table, or through foreign keys. It does not check which of these apply: at worst the server is queried once too
 * often.
 */
function reaches(
  table: TableFacts,
  actions: readonly WriteAction[],
  catalog: Catalog,
  hasTriggers: HasTriggers,
): boolean {
  const family = familyOf(table, catalog);
  const reached = new Set(family);
  // The loop also visits members that it adds.
  for (const member of reached) {
    if (member.sideEffects.size > 0 || !(family.includes(member) || hasTriggers(member)))
      return true;
    if (actions.every((action) => action === 'insert')) continue;
    for (const id of member.referencedBy) {
      const next = catalog.tableById(id);
      if (!next) return true;
      for (const one of familyOf(next, catalog)) reached.add(one);
    }
  }
  return false;
}

/** Whether triggers report every row written to the table, under each name that the table has in its family. */
export function familyHasTriggers(
  table: TableFacts,
  catalog: Catalog,
  hasTriggers: HasTriggers,
): boolean {
  return familyOf(table, catalog).every(hasTriggers);
}

/** Any rows of the tables, and of tables that share rows with them. */
export function wholeTables(
  tables: readonly TableFacts[],
  catalog: Catalog,
): readonly (WrittenTable | 'all-tables')[] {
  return tables.flatMap(({ id }) => writtenTables({ table: id, regions: new Map() }, catalog));
}

function familyOf(table: TableFacts, catalog: Catalog): readonly TableFacts[] {
  return [table, ...table.relatives.flatMap((id) => catalog.tableById(id) ?? [])];
}

/** The number of changed rows in the answer; `undefined` if it has none. */
function rowCountOf({ countedBy }: WriteTarget, rawResults: unknown): number | undefined {
  // One answer for each statement of the text.
  const results: unknown[] = Array.isArray(rawResults) ? rawResults : [rawResults];
  const result = countedBy === undefined ? undefined : results[countedBy];
  const { rowCount } = (result ?? {}) as { rowCount?: unknown };
  return typeof rowCount === 'number' ? rowCount : undefined;
}
