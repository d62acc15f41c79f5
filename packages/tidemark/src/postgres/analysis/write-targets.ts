/** The tables that a statement names as targets of its writes, including its WITH clause. */
import type { WriteAction, WriteTarget } from '../../core/statement-analysis.js';
import type { Catalog } from '../../core/table-facts.js';
import { pick, visit, type Node, type NodeType, type RangeVar } from './syntax-tree.js';

export interface NamedTargets {
  readonly targets: readonly WriteTarget[];
  /** Whether one of them is a view, or a relation that the catalog does not know. */
  readonly hasUnknown: boolean;
}

/** A part of a statement that writes rows: the statement itself, or a part of its WITH clause. */
export interface WritingPart {
  readonly type: NodeType;
  readonly isOutermost: boolean;
  readonly actions: readonly WriteAction[];
  readonly relations: readonly (RangeVar | undefined)[];
}

/** The outermost part comes first. */
export function writingPartsOf(statement: Node): readonly WritingPart[] {
  const parts: WritingPart[] = [];
  visit([statement], (key, value) => {
    const node = { [key]: value } as unknown as Node;
    const actions = actionsOf(node);
    if (!actions) return;
    const isOutermost = (statement as unknown as Record<string, unknown>)[key] === value;
    const truncate = pick(node, 'TruncateStmt');
    const relations = truncate
      ? (truncate.relations ?? []).map((relation) => pick(relation, 'RangeVar'))
      : [(value as { readonly relation?: RangeVar }).relation];
    parts.push({ type: key as NodeType, isOutermost, actions, relations });
  });
  return parts;
}

/** @param index the position of the statement in the text. */
export function targetsOf(statement: Node, catalog: Catalog, index: number): NamedTargets {
  const targets: WriteTarget[] = [];
  let hasUnknown = false;
  for (const { isOutermost, actions, relations } of writingPartsOf(statement)) {
    // The answer counts only the rows of the outermost part.
    const countedBy = isOutermost && !actions.includes('truncate') ? index : undefined;
    for (const relation of relations) {
      const table = tableOf(relation, catalog);
      if (table === undefined) hasUnknown = true;
      else targets.push({ table, actions, countedBy });
    }
  }
  return { targets, hasUnknown };
}

/** The actions that the node may apply to rows of its relation; `undefined` if it writes none. */
function actionsOf(node: Node): readonly WriteAction[] | undefined {
  const insert = pick(node, 'InsertStmt');
  if (insert) {
    const { action = 'ONCONFLICT_NOTHING' } = insert.onConflictClause ?? {};
    return action === 'ONCONFLICT_NOTHING' ? ['insert'] : ['insert', 'update'];
  }
  if (pick(node, 'UpdateStmt')) return ['update'];
  if (pick(node, 'DeleteStmt')) return ['delete'];
  if (pick(node, 'MergeStmt')) return ['insert', 'update', 'delete'];
  if (pick(node, 'CopyStmt')?.is_from) return ['insert'];
  return pick(node, 'TruncateStmt') || pick(node, 'RefreshMatViewStmt') ? ['truncate'] : undefined;
}

function tableOf(relation: RangeVar | undefined, catalog: Catalog): string | undefined {
  if (!relation || relation.catalogname) return undefined;
  const table = catalog.table(relation.schemaname, relation.relname ?? '');
  return table?.kind === 'view' ? undefined : table?.id;
}
