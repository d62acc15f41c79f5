/** The tables that a statement names as targets of its writes, also in its WITH clause. */
import type { WriteTarget } from '../core/statement-analysis.js';
import type { Catalogue, TableAction } from '../core/table-facts.js';
import { pick, visit, type Node, type RangeVar } from './syntax-tree.js';

export interface NamedTargets {
  readonly targets: readonly WriteTarget[];
  /** One of them is a view, or no relation that the catalogue knows. */
  readonly hasUnknown: boolean;
}

interface WritingPart {
  readonly relation: RangeVar | undefined;
  readonly actions: readonly TableAction[];
  readonly cascades?: boolean;
  readonly isCounted: boolean;
}

const KINDS: ReadonlySet<string | undefined> = new Set([
  'table',
  'partitioned',
  'foreign',
  'materialized-view',
]);

/** @param index the statement's place in the text. */
export function targetsOf(statement: Node, catalogue: Catalogue, index: number): NamedTargets {
  const parts = [...wholeTableParts(statement), ...rowParts(statement)];
  const targets = parts.flatMap(({ relation, actions, cascades = false, isCounted }) => {
    const table = relation && tableOf(relation, catalogue);
    const countedBy = isCounted ? index : undefined;
    return table === undefined ? [] : [{ table, actions, cascades, countedBy }];
  });
  return { targets, hasUnknown: targets.length < parts.length };
}

function tableOf(
  { catalogname, schemaname, relname = '' }: RangeVar,
  catalogue: Catalogue,
): string | undefined {
  if (catalogname) return undefined;
  const table = catalogue.table(schemaname, relname);
  return KINDS.has(table?.kind) ? table?.id : undefined;
}

function wholeTableParts(statement: Node): readonly WritingPart[] {
  const truncate = pick(statement, 'TruncateStmt');
  const cascades = truncate?.behavior === 'DROP_CASCADE';
  const emptied = (truncate?.relations ?? []).map((node): WritingPart => ({
    relation: pick(node, 'RangeVar'),
    actions: ['truncate'],
    cascades,
    isCounted: false,
  }));
  const refreshed = pick(statement, 'RefreshMatViewStmt');
  const copy = pick(statement, 'CopyStmt');
  if (refreshed) {
    return [{ relation: refreshed.relation, actions: ['truncate'], isCounted: false }];
  }
  if (!copy?.is_from) return emptied;
  return [{ relation: copy.relation, actions: ['insert'], isCounted: true }];
}

/** INSERT, UPDATE, DELETE and MERGE. The answer counts the rows of the outermost one alone. */
function rowParts(statement: Node): readonly WritingPart[] {
  const parts: WritingPart[] = [];
  visit([statement], (key, value) => {
    const node = { [key]: value } as unknown as Node;
    const actions = rowActions(node);
    if (!actions) return;
    const isCounted = (statement as unknown as Record<string, unknown>)[key] === value;
    parts.push({ relation: (value as { relation?: RangeVar }).relation, actions, isCounted });
  });
  return parts;
}

function rowActions(node: Node): readonly TableAction[] | undefined {
  const insert = pick(node, 'InsertStmt');
  if (insert) {
    const { action = 'ONCONFLICT_NOTHING' } = insert.onConflictClause ?? {};
    return action === 'ONCONFLICT_NOTHING' ? ['insert'] : ['insert', 'update'];
  }
  if (pick(node, 'UpdateStmt')) return ['update'];
  if (pick(node, 'DeleteStmt')) return ['delete'];
  return pick(node, 'MergeStmt') ? ['insert', 'update', 'delete'] : undefined;
}
