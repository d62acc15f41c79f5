import type { Term } from '../core/statement-analysis.js';
import type { TableFacts } from '../core/table-facts.js';
import { pick, type InsertStmt } from './syntax-tree.js';
import { termOf, type ParameterUse, type WrittenTerm } from './terms.js';

/**
 * The values of INSERT ... VALUES by column, one for each row. Nothing is known of a column that
 * is left out (its default fills it), of INSERT ... SELECT, nor where OVERRIDING USER VALUE
 * drops what was given.
 *
 * Notes the parameters; the answer gives the terms once all parameters of the statement are noted.
 */
export function insertedColumns(
  insert: InsertStmt,
  table: TableFacts,
  parameters: ParameterUse,
): () => ReadonlyMap<string, readonly (Term | undefined)[]> {
  const written = new Map<string, (WrittenTerm | undefined)[]>();
  const rows = insert.override === 'OVERRIDING_USER_VALUE' ? [] : valuesOf(insert);
  targetColumns(insert, table).forEach((name, position) => {
    const kind = (name === undefined ? undefined : table.columns.get(name)?.kind) ?? 'other';
    if (name === undefined || kind === 'other' || rows.length === 0) return;
    const terms = rows.map((values) => termOf(values[position], kind));
    for (const term of terms) if (term) parameters.note(term, kind);
    written.set(name, terms);
  });
  return () =>
    new Map(
      [...written].map(([name, terms]) => {
        const kind = table.columns.get(name)?.kind ?? 'other';
        return [
          name,
          terms.map((value) =>
            value && parameters.isOnly(value.term, kind) ? value.term : undefined,
          ),
        ];
      }),
    );
}

/** The column each value goes to; `undefined` where it goes to a part of one. */
function targetColumns(insert: InsertStmt, table: TableFacts): readonly (string | undefined)[] {
  if (!insert.cols) return [...table.columns.keys()];
  return insert.cols.map((node) => {
    const target = pick(node, 'ResTarget');
    return target?.indirection ? undefined : target?.name;
  });
}

function valuesOf(insert: InsertStmt) {
  const lists = pick(insert.selectStmt, 'SelectStmt')?.valuesLists ?? [];
  return lists.map((list) => pick(list, 'List')?.items ?? []);
}
