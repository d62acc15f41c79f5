/** What a statement writes to: a table, or tables behind a view. */
import type { Catalogue, TableAction, TableFacts } from '../core/table-facts.js';
import { cascadedTables, isPlain, type RowsChanged } from './cascades.js';
import { parse, pick, type RangeVar } from './syntax-tree.js';

/** A relation that a statement names, with all that changes there known. */
export type WriteTarget =
  | { readonly kind: 'table'; readonly table: TableFacts }
  | { readonly kind: 'view'; readonly bases: readonly TableFacts[] };

/**
 * `undefined` where the relation is not known, or where the actions may change more than its rows.
 */
export function writeTarget(
  range: RangeVar | undefined,
  actions: readonly TableAction[],
  catalogue: Catalogue,
): WriteTarget | undefined {
  if (!range || range.catalogname) return undefined;
  const table = catalogue.table(range.schemaname, range.relname ?? '');
  if (!table) return undefined;
  if (table.kind === 'table' || table.kind === 'partitioned') {
    return isPlain(table, actions, catalogue) ? { kind: 'table', table } : undefined;
  }
  if (table.kind !== 'view') return undefined;
  const bases = basesOf(table, actions, catalogue);
  return bases && { kind: 'view', bases };
}

/**
 * The tables a write to the view may end up in. PostgreSQL lets only views of a single relation be
 * written without rules and triggers.
 */
function basesOf(
  view: TableFacts,
  actions: readonly TableAction[],
  catalogue: Catalogue,
): readonly TableFacts[] | undefined {
  const bases = new Set<TableFacts>();
  const views = new Set([view]);
  // The set grows while it is walked.
  for (const { definition, sources, sideEffects } of views) {
    if (sideEffects.has('read') || actions.some((action) => sideEffects.has(action))) {
      return undefined;
    }
    const source = definition === undefined ? undefined : onlySource(definition);
    // Its name was written down under another search path, perhaps: the schema may be missing.
    const named = sources
      .map((id) => catalogue.tableById(id))
      .filter((table) => table !== undefined && isNamed(table, source));
    if (named.length === 0) return undefined;
    for (const table of named) {
      if (table?.kind === 'view') views.add(table);
      else if (table && isPlain(table, actions, catalogue)) bases.add(table);
      else return undefined;
    }
  }
  return [...bases];
}

function isNamed({ schema, name }: TableFacts, range: RangeVar | undefined): boolean {
  return name === range?.relname && (range.schemaname ?? schema) === schema;
}

function onlySource(definition: string): RangeVar | undefined {
  const select = pick(parse(definition)[0]?.stmt, 'SelectStmt');
  const [only, ...others] = select?.fromClause ?? [];
  return others.length === 0 ? pick(only, 'RangeVar') : undefined;
}

/**
 * The tables that change in any of their rows because the rows changed: through foreign keys, and
 * behind a view the tables themselves. `undefined` where anything may change.
 */
export function rewrittenBy(
  target: WriteTarget,
  changes: readonly RowsChanged[],
  catalogue: Catalogue,
): readonly string[] | undefined {
  const rewritten = new Set<string>();
  const tables = target.kind === 'table' ? [target.table] : target.bases;
  for (const table of tables) {
    if (target.kind === 'view') rewritten.add(table.id);
    for (const change of changes) {
      // A view may give the columns other names.
      const changed =
        target.kind === 'view' && change !== 'deleted' ? new Set(table.columns.keys()) : change;
      const cascaded = cascadedTables(table, changed, catalogue);
      if (!cascaded) return undefined;
      for (const id of cascaded) rewritten.add(id);
    }
  }
  return [...rewritten];
}
