/** What MERGE writes: each of its actions by itself, under the condition it has. */
import type { TableWrite } from '../core/statement-analysis.js';
import type { TableAction, TableFacts } from '../core/table-facts.js';
import { confinementsOf, EqualityReader } from './confinement.js';
import { readFromClause, tableItem, type FromClause, type RangeItem } from './from-clause.js';
import { insertedColumns } from './inserted-columns.js';
import { pick, type MergeStmt, type MergeWhenClause, type Node } from './syntax-tree.js';
import { assignedTerms, namesOfTargets } from './write-analysis.js';
import type { WriteContext } from './write-context.js';
import { rewrittenBy, writeTarget } from './write-target.js';
import { rewriteOf } from './wide-writes.js';

type MergeAction = 'insert' | 'update' | 'delete';

const ACTIONS: Readonly<Record<string, MergeAction>> = {
  CMD_INSERT: 'insert',
  CMD_UPDATE: 'update',
  CMD_DELETE: 'delete',
};

interface Branch {
  readonly action: MergeAction;
  readonly clause: MergeWhenClause;
}

interface MergedTables {
  readonly table: TableFacts;
  readonly item: RangeItem;
  /** The target joined with the source under ON. */
  readonly matched: FromClause;
}

/** `undefined` where more than the rows of known tables may change. */
export function analyseMerge(
  merge: MergeStmt,
  context: WriteContext,
): readonly TableWrite[] | undefined {
  const { catalogue, countedBy, tableOf } = context;
  const branches = (merge.mergeWhenClauses ?? []).flatMap((node): Branch[] => {
    const clause = pick(node, 'MergeWhenClause');
    const action = ACTIONS[clause?.commandType ?? ''];
    return clause && action ? [{ action, clause }] : [];
  });
  const actions = new Set<TableAction>(branches.map(({ action }) => action));
  const target = writeTarget(merge.relation, [...actions], catalogue);
  if (!target || !merge.relation) return undefined;
  const changes = branches
    .filter(({ action }) => action !== 'insert')
    .map(({ action, clause }) =>
      action === 'delete' ? 'deleted' : namesOfTargets(clause.targetList ?? []),
    );
  const alsoRewrites = rewrittenBy(target, changes, catalogue);
  if (!alsoRewrites) return undefined;
  if (target.kind === 'view') return rewriteOf(alsoRewrites, countedBy);
  const item = tableItem(merge.relation, target.table);
  const source = merge.sourceRelation ? [merge.sourceRelation] : [];
  const from = readFromClause(source, tableOf);
  const visible = [item, ...from.visible];
  const matched: FromClause = {
    root: from.root && {
      kind: 'join',
      type: 'inner',
      left: { kind: 'item', item },
      right: from.root,
      quals: merge.joinCondition,
      visible,
    },
    visible,
  };
  const tables = { table: target.table, item, matched };
  return branches.map((branch) => ofBranch(branch, tables, alsoRewrites, context));
}

function ofBranch(
  { action, clause }: Branch,
  { table, item, matched }: MergedTables,
  alsoRewrites: readonly string[],
  { parameters, countedBy }: WriteContext,
): TableWrite {
  const targets = clause.targetList ?? [];
  const assignments = assignedTerms(action === 'update' ? targets : [], table, parameters);
  const inserted = insertedColumns(asInsert(action, clause), table, parameters);
  // A row that no row of the source matches is known by the branch's own condition alone.
  const isMatched = clause.matchKind === 'MERGE_WHEN_MATCHED';
  const rows: FromClause = isMatched ? matched : { root: { kind: 'item', item }, visible: [item] };
  const references = new EqualityReader(parameters)
    .references(rows.root, clause.condition, rows.visible)
    .filter((reference) => reference.item === item);
  return {
    table: table.id,
    action,
    countedBy,
    alsoRewrites,
    confinements: action === 'insert' ? [] : confinementsOf(table, references, parameters),
    assignments: assignments(),
    inserted: inserted(),
    mayUpdateOthers: false,
    // The answer mixes the rows of all branches.
    returning: new Map<string, string>(),
  };
}

/** The branch's values as an INSERT has them. */
function asInsert(
  action: MergeAction,
  { targetList, values, override }: MergeWhenClause,
): Parameters<typeof insertedColumns>[0] {
  if (action !== 'insert' || !values) return {};
  const list: Node = { List: { items: values } };
  return {
    ...(targetList && { cols: targetList }),
    ...(override && { override }),
    selectStmt: { SelectStmt: { valuesLists: [list] } },
  };
}
