/** From a statement, its answer and what the triggers have told meanwhile to what it touched. */
import {
  tablesOfRows,
  versionNamesOf,
  type Catalogue,
  type TableFacts,
  type TableVersionNames,
  type TouchedTable,
  type WriteTarget,
} from '../query-cache/index.js';
import type { Audience } from './announcing.js';
import type { ConnectionSession } from './connection-session.js';
import type { StatementContext } from './statement-context.js';
import { untoldReach } from './untold-tables.js';

export interface StatementEffect {
  /** What no trigger tells of. */
  readonly touched: readonly (TouchedTable | 'anything')[];
  /** Tables without triggers may have changed that are not known: the server has to be asked. */
  readonly mayHaveMore: boolean;
  /** Tables without triggers that the statement names, or that foreign keys lead to. */
  readonly untold: readonly TableFacts[];
  /** Tables that have triggers, and rows that were changed without a word from them. */
  readonly silent: readonly string[];
}

/** @param isTold whether a table has the triggers, by the catalogue. */
export function effectOf(
  { analysis, noticed, meaning }: StatementContext,
  rawResults: unknown,
  isTold: (table: TableFacts) => boolean,
): StatementEffect {
  const none: StatementEffect = { touched: [], mayHaveMore: false, untold: [], silent: [] };
  if (analysis?.kind === 'transaction' || analysis?.kind === 'read') return none;
  if (!analysis || !meaning || analysis.kind === 'unknown') {
    return { ...none, touched: ['anything'] };
  }
  let mayHaveMore = analysis.hasUnknownTargets;
  const untold = new Set<TableFacts>();
  const silent: string[] = [];
  for (const target of analysis.targets) {
    const rowCount = rowCountOf(target, rawResults);
    const reach = untoldReach(target, meaning, isTold);
    // Triggers of users may write where no row is counted, and rules may write in its place.
    mayHaveMore ||= reach.hasUnknown;
    if (rowCount === 0) continue;
    for (const table of reach.tables) untold.add(table);
    const table = meaning.tableById(target.table);
    if (!table || !isTold(table) || noticed.has(table.id)) continue;
    if (reach.hasUnknown || (rowCount === undefined && !target.actions.includes('truncate'))) {
      mayHaveMore = true;
    } else silent.push(table.id);
  }
  const touched = silent.length > 0 ? (['anything'] as const) : wholeTables([...untold], meaning);
  return { touched, mayHaveMore, untold: [...untold], silent };
}

/** Keeps it for the COMMIT of the open transaction. */
export function fileEffect(
  { touched, mayHaveMore, untold, silent }: StatementEffect,
  session: ConnectionSession,
  { schema, trust, outbox }: Audience,
): void {
  for (const part of touched) session.log.add(part);
  session.log.mayHaveMore ||= mayHaveMore;
  trust.tellOf(untold);
  if (silent.length === 0) return;
  session.changeSchema(schema);
  trust.doubt(silent);
  // It may have lost the setting by which the triggers know it.
  session.introduce(outbox);
}

/** Any rows of the tables, and of those that have rows in common with them. */
export function wholeTables(
  tables: readonly TableFacts[],
  catalogue: Catalogue,
): readonly (TouchedTable | 'anything')[] {
  return tables.flatMap<TouchedTable | 'anything'>(
    (table) => tablesOfRows(table, new Map(), catalogue) ?? ['anything'],
  );
}

export function versionNames(
  touched: ReadonlyMap<string, TouchedTable>,
): readonly TableVersionNames[] {
  return [...touched.values()].map((part) => ({ table: part.table, names: versionNamesOf(part) }));
}

/** How many rows the answer says were changed; `undefined` where it does not say. */
function rowCountOf({ countedBy }: WriteTarget, rawResults: unknown): number | undefined {
  // One answer for each statement of the text.
  const results: unknown[] = Array.isArray(rawResults) ? rawResults : [rawResults];
  const result = countedBy === undefined ? undefined : results[countedBy];
  const { rowCount } = (result ?? {}) as { rowCount?: unknown };
  return typeof rowCount === 'number' ? rowCount : undefined;
}
