/** What one INSERT, UPDATE or DELETE writes. */
import type { TableWrite, Term } from '../core/statement-analysis.js';
import type { Catalogue, TableFacts } from '../core/table-facts.js';
import { confinementsOf, EqualityReader } from './confinement.js';
import { readFromClause, tableItem, type FromClause, type RangeItem } from './from-clause.js';
import { insertedColumns } from './inserted-columns.js';
import { probeOf } from './probe.js';
import { returnedColumns } from './returned-columns.js';
import { isWithoutHarm } from './statement-harm.js';
import {
  pick,
  type DeleteStmt,
  type InsertStmt,
  type Node,
  type RangeVar,
  type ReturningClause,
  type UpdateStmt,
} from './syntax-tree.js';
import { ParameterUse, termOf, type WrittenTerm } from './terms.js';

/** The parts of an UPDATE or DELETE. */
interface RowChange {
  readonly action: 'update' | 'delete';
  readonly relation: RangeVar | undefined;
  readonly targets: readonly Node[];
  readonly others: readonly Node[];
  readonly where: Node | undefined;
  readonly returningClause: ReturningClause | undefined;
}

/**
 * The write, or `undefined` where the statement may change more than the rows of one table that
 * it names. Without `sql` no probe is made.
 */
export function analyseWrite(
  statement: Node,
  sql: string | undefined,
  catalogue: Catalogue,
): TableWrite | undefined {
  const insert = pick(statement, 'InsertStmt');
  const change = rowChangeOf(pick(statement, 'UpdateStmt'), pick(statement, 'DeleteStmt'));
  const fields = Object.values(statement)[0] as InsertStmt | UpdateStmt | DeleteStmt;
  const range = insert?.relation ?? change?.relation;
  if (!range || fields.withClause || range.catalogname) return undefined;
  const table = catalogue.table(range.schemaname, range.relname ?? '');
  if (!table || !isPlainTable(table) || !isWithoutHarm(fields, catalogue)) return undefined;
  const parameters = new ParameterUse(statement);
  if (insert) return ofInsert(insert, tableItem(range, table), table, parameters);
  if (!change || table.cascades.length > 0) return undefined;
  return ofRowChange(change, tableItem(range, table), table, { sql, catalogue, parameters });
}

function isPlainTable({ kind, sideEffects, isInherited }: TableFacts): boolean {
  return kind === 'table' && sideEffects.size === 0 && !isInherited;
}

function rowChangeOf(
  update: UpdateStmt | undefined,
  deletion: DeleteStmt | undefined,
): RowChange | undefined {
  if (update) {
    return {
      action: 'update',
      relation: update.relation,
      targets: update.targetList ?? [],
      others: update.fromClause ?? [],
      where: update.whereClause,
      returningClause: update.returningClause,
    };
  }
  return (
    deletion && {
      action: 'delete',
      relation: deletion.relation,
      targets: [],
      others: deletion.usingClause ?? [],
      where: deletion.whereClause,
      returningClause: deletion.returningClause,
    }
  );
}

function ofInsert(
  insert: InsertStmt,
  item: RangeItem,
  table: TableFacts,
  parameters: ParameterUse,
): TableWrite | undefined {
  const conflict = insert.onConflictClause;
  const mayUpdateOthers = conflict !== undefined && conflict.action !== 'ONCONFLICT_NOTHING';
  if (mayUpdateOthers && table.cascades.length > 0) return undefined;
  const inserted = insertedColumns(insert, table, parameters);
  const assignments = assignedTerms(conflict?.targetList ?? [], table, parameters);
  return {
    table: table.id,
    action: 'insert',
    confinements: [],
    assignments: assignments(),
    inserted: inserted(),
    mayUpdateOthers,
    returning: returnedColumns(insert.returningClause, item, [item]),
    probe: undefined,
  };
}

interface RowChangeContext {
  readonly sql: string | undefined;
  readonly catalogue: Catalogue;
  readonly parameters: ParameterUse;
}

function ofRowChange(
  change: RowChange,
  item: RangeItem,
  table: TableFacts,
  { sql, catalogue, parameters }: RowChangeContext,
): TableWrite {
  const from: FromClause = readFromClause(
    change.others,
    ({ catalogname, schemaname, relname }) =>
      catalogname ? undefined : catalogue.table(schemaname, relname ?? ''),
    item,
  );
  const references = new EqualityReader(parameters)
    .references(from.root, change.where, from.visible)
    .filter((reference) => reference.item === item);
  const assignments = assignedTerms(change.targets, table, parameters);
  const write = {
    table: table.id,
    action: change.action,
    confinements: confinementsOf(table, references, parameters),
    assignments: assignments(),
    inserted: new Map<string, (Term | undefined)[]>(),
    mayUpdateOthers: false,
    returning: returnedColumns(change.returningClause, item, from.visible),
  };
  const isAlone = change.others.length === 0;
  const probe =
    sql !== undefined && isAlone
      ? probeOf({ ...change, ...write, sql, facts: table, catalogue })
      : undefined;
  return { ...write, probe };
}

/** Notes the parameters; the answer gives the terms once all parameters of the statement are noted. */
function assignedTerms(
  targets: readonly Node[],
  table: TableFacts,
  parameters: ParameterUse,
): () => ReadonlyMap<string, Term | undefined> {
  const written = new Map<string, WrittenTerm | undefined>();
  for (const node of targets) {
    const { name = '', indirection, val } = pick(node, 'ResTarget') ?? {};
    const kind = table.columns.get(name)?.kind ?? 'other';
    const term = indirection || kind === 'other' ? undefined : termOf(val, kind);
    if (term) parameters.note(term, kind);
    written.set(name, term);
  }
  return () =>
    new Map(
      [...written].map(([name, value]) => {
        const kind = table.columns.get(name)?.kind ?? 'other';
        const isCertain = value !== undefined && parameters.isOnly(value.term, kind);
        return [name, isCertain ? value.term : undefined];
      }),
    );
}
