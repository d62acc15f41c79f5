/** What one INSERT, UPDATE or DELETE writes. */
import type { TableWrite, Term } from '../core/statement-analysis.js';
import type { TableAction, TableFacts } from '../core/table-facts.js';
import type { RowsChanged } from './cascades.js';
import { confinementsOf, EqualityReader } from './confinement.js';
import { readFromClause, tableItem, type FromClause, type RangeItem } from './from-clause.js';
import { insertedColumns } from './inserted-columns.js';
import { returnedColumns } from './returned-columns.js';
import {
  pick,
  type DeleteStmt,
  type InsertStmt,
  type Node,
  type RangeVar,
  type ReturningClause,
  type UpdateStmt,
} from './syntax-tree.js';
import { termOf, type ParameterUse, type WrittenTerm } from './terms.js';
import type { WriteContext } from './write-context.js';
import { rewrittenBy, writeTarget } from './write-target.js';
import { rewriteOf } from './wide-writes.js';

/** The parts of an UPDATE or DELETE. */
interface RowChange {
  readonly action: 'update' | 'delete';
  readonly relation: RangeVar | undefined;
  readonly targets: readonly Node[];
  readonly others: readonly Node[];
  readonly where: Node | undefined;
  readonly returningClause: ReturningClause | undefined;
}

/** The writes, or `undefined` where the statement may change more than can be told. */
export function analyseInsert(
  insert: InsertStmt,
  context: WriteContext,
): readonly TableWrite[] | undefined {
  const { catalogue, parameters, countedBy } = context;
  const conflict = insert.onConflictClause;
  const mayUpdateOthers = conflict !== undefined && conflict.action !== 'ONCONFLICT_NOTHING';
  const actions: TableAction[] = mayUpdateOthers ? ['insert', 'update'] : ['insert'];
  const target = writeTarget(insert.relation, actions, catalogue);
  if (!target || !insert.relation) return undefined;
  const updated = namesOfTargets(conflict?.targetList ?? []);
  const alsoRewrites = rewrittenBy(target, mayUpdateOthers ? [updated] : [], catalogue);
  if (!alsoRewrites) return undefined;
  if (target.kind === 'view') return rewriteOf(alsoRewrites, countedBy);
  const { table } = target;
  const item = tableItem(insert.relation, table);
  const inserted = insertedColumns(insert, table, parameters);
  const assignments = assignedTerms(conflict?.targetList ?? [], table, parameters);
  return [
    {
      table: table.id,
      action: 'insert',
      countedBy,
      alsoRewrites,
      confinements: [],
      assignments: assignments(),
      inserted: inserted(),
      mayUpdateOthers,
      returning: returnedFrom(insert.returningClause, item, [item], context),
    },
  ];
}

export function analyseUpdate(
  update: UpdateStmt,
  context: WriteContext,
): readonly TableWrite[] | undefined {
  const change: RowChange = {
    action: 'update',
    relation: update.relation,
    targets: update.targetList ?? [],
    others: update.fromClause ?? [],
    where: update.whereClause,
    returningClause: update.returningClause,
  };
  return ofRowChange(change, namesOfTargets(change.targets), context);
}

export function analyseDelete(
  deletion: DeleteStmt,
  context: WriteContext,
): readonly TableWrite[] | undefined {
  const change: RowChange = {
    action: 'delete',
    relation: deletion.relation,
    targets: [],
    others: deletion.usingClause ?? [],
    where: deletion.whereClause,
    returningClause: deletion.returningClause,
  };
  return ofRowChange(change, 'deleted', context);
}

function ofRowChange(
  change: RowChange,
  changed: RowsChanged,
  context: WriteContext,
): readonly TableWrite[] | undefined {
  const { catalogue, parameters, countedBy, tableOf } = context;
  const target = writeTarget(change.relation, [change.action], catalogue);
  const alsoRewrites = target && rewrittenBy(target, [changed], catalogue);
  if (!target || !change.relation || !alsoRewrites) return undefined;
  if (target.kind === 'view') return rewriteOf(alsoRewrites, countedBy);
  const { table } = target;
  const item = tableItem(change.relation, table);
  const from: FromClause = readFromClause(change.others, tableOf, item);
  const references = new EqualityReader(parameters)
    .references(from.root, change.where, from.visible)
    .filter((reference) => reference.item === item);
  const assignments = assignedTerms(change.targets, table, parameters);
  return [
    {
      table: table.id,
      action: change.action,
      countedBy,
      alsoRewrites,
      confinements: confinementsOf(table, references, parameters),
      assignments: assignments(),
      inserted: new Map<string, (Term | undefined)[]>(),
      mayUpdateOthers: false,
      returning: returnedFrom(change.returningClause, item, from.visible, context),
    },
  ];
}

function returnedFrom(
  clause: ReturningClause | undefined,
  item: RangeItem,
  visible: readonly RangeItem[],
  { answersRows }: WriteContext,
): ReadonlyMap<string, string> {
  return returnedColumns(answersRows ? clause : undefined, item, visible);
}

/** The names of assigned columns. */
export function namesOfTargets(targets: readonly Node[]): ReadonlySet<string> {
  return new Set(targets.map((node) => pick(node, 'ResTarget')?.name ?? ''));
}

/** Notes the parameters; the answer gives the terms once all parameters of the statement are noted. */
export function assignedTerms(
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
