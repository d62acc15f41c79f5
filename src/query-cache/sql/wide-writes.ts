/** Writes of which nothing but the tables is known: TRUNCATE, COPY, REFRESH, views. */
import type { TableWrite, Term } from '../core/statement-analysis.js';
import { truncatedTables } from './cascades.js';
import { pick, type CopyStmt, type RefreshMatViewStmt, type TruncateStmt } from './syntax-tree.js';
import type { WriteContext } from './write-context.js';
import { rewrittenBy, writeTarget } from './write-target.js';

const NOTHING_KNOWN = {
  alsoRewrites: [],
  confinements: [],
  assignments: new Map<string, Term | undefined>(),
  inserted: new Map<string, readonly (Term | undefined)[]>(),
  mayUpdateOthers: false,
  returning: new Map<string, string>(),
};

/** Any rows of the tables, in any way. */
export function rewriteOf(
  tables: readonly string[],
  countedBy: number | undefined,
): readonly TableWrite[] {
  return tables.map((table) => ({ ...NOTHING_KNOWN, table, action: 'rewrite', countedBy }));
}

export function analyseTruncate(
  { relations = [], behavior }: TruncateStmt,
  { catalogue }: WriteContext,
): readonly TableWrite[] | undefined {
  const targets = relations.map((node) =>
    writeTarget(pick(node, 'RangeVar'), ['truncate'], catalogue),
  );
  const tables = targets.flatMap((target) => (target?.kind === 'table' ? [target.table] : []));
  if (tables.length < targets.length) return undefined;
  const truncated = truncatedTables(tables, behavior === 'DROP_CASCADE', catalogue);
  return truncated && rewriteOf(truncated, undefined);
}

/** COPY ... FROM; it inserts rows, or nothing that is known where PROGRAM runs a command. */
export function analyseCopyFrom(
  { relation, is_program }: CopyStmt,
  { catalogue, countedBy }: WriteContext,
): readonly TableWrite[] | undefined {
  if (is_program) return undefined;
  const target = writeTarget(relation, ['insert'], catalogue);
  if (!target) return undefined;
  if (target.kind === 'view') {
    const tables = rewrittenBy(target, [], catalogue);
    return tables && rewriteOf(tables, countedBy);
  }
  return [{ ...NOTHING_KNOWN, table: target.table.id, action: 'insert', countedBy }];
}

export function analyseRefresh(
  { relation }: RefreshMatViewStmt,
  { catalogue }: WriteContext,
): readonly TableWrite[] | undefined {
  const view = relation && catalogue.table(relation.schemaname, relation.relname ?? '');
  if (view?.kind !== 'materialized-view' || view.sideEffects.size > 0) return undefined;
  return rewriteOf([view.id], undefined);
}
