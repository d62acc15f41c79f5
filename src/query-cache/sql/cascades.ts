/** Where foreign keys carry a change on to, over any number of steps. */
import type { Cascade, Catalogue, TableAction, TableFacts } from '../core/table-facts.js';

/** Rows deleted, or these columns of some rows updated. */
export type RowsChanged = 'deleted' | ReadonlySet<string>;

/** The table itself and its relatives: a row of one is a row of some of the others. */
export function familyOf(table: TableFacts, catalogue: Catalogue): readonly TableFacts[] {
  return [table, ...table.relatives.flatMap((id) => catalogue.tableById(id) ?? [])];
}

/**
 * Whether the action changes nothing beyond the rows of the table's family: nobody's trigger,
 * rule or function runs, and no row lies in another database.
 */
export function isPlain(
  table: TableFacts,
  actions: readonly TableAction[],
  catalogue: Catalogue,
): boolean {
  const family = familyOf(table, catalogue);
  const isPartitioned = family.some(({ kind }) => kind === 'partitioned');
  // An UPDATE may move a row to another partition: it is deleted in the one, inserted in the other.
  const all =
    isPartitioned && actions.includes('update')
      ? [...actions, 'insert' as const, 'delete' as const]
      : actions;
  return family.every(
    ({ kind, sideEffects }) => kind !== 'foreign' && !all.some((action) => sideEffects.has(action)),
  );
}

/**
 * The tables whose rows change because rows of `table` do, the table itself among them where a
 * foreign key leads back to it; `undefined` where a change on the way may change anything.
 */
export function cascadedTables(
  table: TableFacts,
  changed: RowsChanged,
  catalogue: Catalogue,
): readonly string[] | undefined {
  const reached = new Set<string>();
  const seen = new Set<string>();
  const pending: { readonly table: TableFacts; readonly changed: RowsChanged }[] = [
    { table, changed },
  ];
  // The list grows while it is walked.
  for (const step of pending) {
    for (const { cascade, changed: how } of cascadesOf(step.table, step.changed, catalogue)) {
      const effect = effectOf(cascade, how);
      if (effect === undefined) continue;
      const action = effect === 'deleted' ? 'delete' : 'update';
      const next = catalogue.tableById(cascade.table);
      if (!next || !isPlain(next, [action], catalogue)) return undefined;
      reached.add(next.id);
      const name = JSON.stringify([next.id, effect === 'deleted' ? effect : [...effect]]);
      if (seen.has(name)) continue;
      seen.add(name);
      pending.push({ table: next, changed: effect });
    }
  }
  return [...reached];
}

/**
 * The foreign keys to the table's family, each with what happens to the rows it names. A row that
 * moves to another partition is deleted from the one it leaves: foreign keys that name that partition
 * itself do what they do on DELETE.
 */
function cascadesOf(
  table: TableFacts,
  changed: RowsChanged,
  catalogue: Catalogue,
): readonly { readonly cascade: Cascade; readonly changed: RowsChanged }[] {
  const family = familyOf(table, catalogue);
  const mayMove = changed !== 'deleted' && family.some(({ kind }) => kind === 'partitioned');
  return family.flatMap(({ kind, cascades }) =>
    cascades.flatMap((cascade) => {
      const isOfPartition = kind !== 'partitioned' && !cascade.isInherited;
      const here = { cascade, changed };
      return mayMove && isOfPartition ? [here, { cascade, changed: 'deleted' as const }] : [here];
    }),
  );
}

function effectOf(
  { columns, onDelete, onUpdateOf }: Cascade,
  changed: RowsChanged,
): RowsChanged | undefined {
  if (changed !== 'deleted') {
    return onUpdateOf.some((column) => changed.has(column)) ? new Set(columns) : undefined;
  }
  if (onDelete === 'nothing') return undefined;
  return onDelete === 'delete' ? 'deleted' : new Set(columns);
}

/** What TRUNCATE empties: the tables, their families and, with CASCADE, all that refer to them. */
export function truncatedTables(
  tables: readonly TableFacts[],
  isCascading: boolean,
  catalogue: Catalogue,
): readonly string[] | undefined {
  const reached = new Set(tables);
  // The set grows while it is walked.
  for (const table of reached) {
    if (!isPlain(table, ['truncate'], catalogue)) return undefined;
    if (!isCascading) continue;
    for (const id of familyOf(table, catalogue).flatMap(({ referencedBy }) => referencedBy)) {
      const next = catalogue.tableById(id);
      if (!next) return undefined;
      reached.add(next);
    }
  }
  return [...reached].map(({ id }) => id);
}
