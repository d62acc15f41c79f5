/** The items of a FROM clause, their joins, and the names in scope. */
import type { ColumnFacts, TableFacts } from '../../core/table-facts.js';
import {
  namesOf,
  pick,
  type Alias,
  type ColumnRef,
  type JoinExpr,
  type Node,
  type RangeVar,
} from './syntax-tree.js';

/** One item of a FROM clause. Items are compared by identity. */
export interface RangeItem {
  /** The name that column references use; `undefined` if no reference can name it. */
  readonly qualifier: string | undefined;
  /** The table of its rows; `undefined` for subqueries, functions and unknown tables. */
  readonly table: TableFacts | undefined;
  /** `undefined` if the column names are unknown. */
  readonly columns: ReadonlyMap<string, ColumnFacts> | undefined;
  /** Whether the qualifier may name a single value instead of a row: for a function, or if unknown. */
  readonly isCall: boolean;
}

/** A FROM clause as a tree of joins; the entries of a list are joined from left to right. */
export type FromNode =
  | { readonly kind: 'item'; readonly item: RangeItem }
  | {
      readonly kind: 'join';
      readonly type: 'inner' | 'left' | 'right' | 'full';
      readonly left: FromNode;
      readonly right: FromNode;
      readonly quals: Node | undefined;
      /** The items that names in `quals` may refer to. */
      readonly visible: readonly RangeItem[];
    };

/** The table that a name in a FROM clause refers to; `undefined` if no known table. */
export type TableResolver = (range: RangeVar) => TableFacts | undefined;

interface FromClause {
  readonly root: FromNode | undefined;
  /** The items that names outside the clause may refer to. */
  readonly visible: readonly RangeItem[];
}

export function readFromClause(nodes: readonly Node[], tableOf: TableResolver): FromClause {
  let root: FromNode | undefined;
  const visible: RangeItem[] = [];
  for (const node of nodes) {
    const part = readNode(node, tableOf);
    visible.push(...part.visible);
    if (part.root === undefined) continue;
    root = root
      ? { kind: 'join', type: 'inner', left: root, right: part.root, quals: undefined, visible: [] }
      : part.root;
  }
  return { root, visible };
}

/** The item of a table that a statement writes or reads. */
export function tableItem(range: RangeVar, table: TableFacts | undefined): RangeItem {
  const { alias } = range;
  return {
    qualifier: alias?.aliasname ?? range.relname,
    table,
    columns: alias?.colnames ? undefined : table?.columns,
    isCall: false,
  };
}

export function itemsOf(root: FromNode | undefined): readonly RangeItem[] {
  if (!root) return [];
  return root.kind === 'item' ? [root.item] : [...itemsOf(root.left), ...itemsOf(root.right)];
}

/** The item and the column that a reference resolves to. */
export interface ColumnPosition {
  readonly item: RangeItem;
  readonly column: ColumnFacts;
}

/**
 * The column among these items that a reference resolves to; `undefined` if it belongs to another item, is ambiguous or
 * is no column.
 */
export function resolveColumn(
  { fields = [] }: ColumnRef,
  items: readonly RangeItem[],
): ColumnPosition | undefined {
  if (fields.length > 3 || fields.some((field) => !pick(field, 'String'))) return undefined;
  const [name = '', qualifier, schema] = namesOf(fields).toReversed();
  const [item, ...others] = items.filter((candidate) =>
    qualifier === undefined
      ? // Any item with unknown columns may have it too.
        !candidate.columns || candidate.columns.has(name)
      : isMeant(candidate, qualifier, schema),
  );
  const column = item?.columns?.get(name);
  return item && column && others.length === 0 ? { item, column } : undefined;
}

/** Whether `qualifier.` or `schema.qualifier.` refers to the item. */
export function isMeant(item: RangeItem, qualifier: string, schema: string | undefined): boolean {
  if (item.qualifier !== qualifier) return false;
  // Only a table's own name takes a schema.
  return schema === undefined || (item.table?.schema === schema && item.table.name === qualifier);
}

function readNode(node: Node, tableOf: TableResolver): FromClause {
  const range = pick(node, 'RangeVar');
  if (range) return single(tableItem(range, tableOf(range)));
  const join = pick(node, 'JoinExpr');
  if (join) return readJoin(join, tableOf);
  const [fields] = Object.values(node) as [{ readonly alias?: Alias } | undefined];
  return single(opaque(fields?.alias, !pick(node, 'RangeSubselect')));
}

function single(item: RangeItem): FromClause {
  return { root: { kind: 'item', item }, visible: [item] };
}

function opaque(alias: Alias | undefined, isCall = true): RangeItem {
  const qualifier = alias?.aliasname;
  return { qualifier, table: undefined, columns: undefined, isCall };
}

const JOIN_TYPES: Readonly<Record<string, 'inner' | 'left' | 'right'>> = {
  JOIN_INNER: 'inner',
  JOIN_LEFT: 'left',
  JOIN_RIGHT: 'right',
};

function readJoin(join: JoinExpr, tableOf: TableResolver): FromClause {
  const left = readFromClause(join.larg ? [join.larg] : [], tableOf);
  const right = readFromClause(join.rarg ? [join.rarg] : [], tableOf);
  const within = [...left.visible, ...right.visible];
  if (!left.root || !right.root) return { root: left.root ?? right.root, visible: within };
  const root: FromNode = {
    kind: 'join',
    // Joins of other kinds prove nothing.
    type: JOIN_TYPES[join.jointype ?? ''] ?? 'full',
    left: left.root,
    right: right.root,
    quals: join.quals,
    visible: within,
  };
  // An alias of the whole join hides the names inside it.
  if (join.alias) return { root, visible: [opaque(join.alias)] };
  const named = join.join_using_alias ? [opaque(join.join_using_alias)] : [];
  return { root, visible: [...within, ...named] };
}
