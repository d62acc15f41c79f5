/** What a FROM clause ranges over, how it is joined, and which names reach it. */
import type { ColumnFacts, TableFacts } from '../core/table-facts.js';
import {
  namesOf,
  pick,
  type Alias,
  type ColumnRef,
  type JoinExpr,
  type Node,
  type RangeVar,
} from './syntax-tree.js';

/** One entry of a FROM clause. Entries are told apart by identity. */
export interface RangeItem {
  /** The name that column references carry; `undefined` where no reference can name it. */
  readonly qualifier: string | undefined;
  /** Whether it is named by its table, so that `schema.table.column` can mean it. */
  readonly hasOwnName: boolean;
  /** The table it takes rows from; `undefined` for subqueries, functions and unknown tables. */
  readonly table: TableFacts | undefined;
  /** `undefined` where the column names are not known here. */
  readonly columns: ReadonlyMap<string, ColumnFacts> | undefined;
  /** `false`: each row has columns. A function may give values, which go by the same name. */
  readonly isCall?: boolean;
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
      /** The items that names in `quals` can mean. */
      readonly visible: readonly RangeItem[];
    };

/** The table a name in a FROM clause stands for; `undefined` where it is none that is known. */
export type TableResolver = (range: RangeVar) => TableFacts | undefined;

export interface FromClause {
  readonly root: FromNode | undefined;
  /** The items that names outside the clause can mean. */
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
    hasOwnName: alias === undefined,
    table,
    columns: alias?.colnames ? undefined : table?.columns,
    isCall: false,
  };
}

export function itemsOf(root: FromNode | undefined): readonly RangeItem[] {
  if (!root) return [];
  return root.kind === 'item' ? [root.item] : [...itemsOf(root.left), ...itemsOf(root.right)];
}

/** Where the column of a reference is found, as far as it is certain. */
export interface ColumnPosition {
  readonly item: RangeItem;
  readonly column: ColumnFacts;
}

/** The column meant among these items; `undefined` where it is another's, ambiguous or no column. */
export function resolveColumn(
  reference: ColumnRef,
  items: readonly RangeItem[],
): ColumnPosition | undefined {
  if (reference.fields?.some((field) => !pick(field, 'String'))) return undefined;
  const names = namesOf(reference.fields);
  const column = names.at(-1);
  if (column === undefined) return undefined;
  if (names.length === 1) {
    // Any item whose columns are not known could have it too.
    const owners = items.filter(({ columns }) => !columns || columns.has(column));
    return positionIn(owners, column);
  }
  const [qualifier = '', schema] = names.slice(0, -1).toReversed();
  if (names.length > 3) return undefined;
  return positionIn(
    items.filter((item) => isMeant(item, qualifier, schema)),
    column,
  );
}

/** Whether `qualifier.` or `schema.qualifier.` means the item. */
export function isMeant(item: RangeItem, qualifier: string, schema: string | undefined): boolean {
  if (item.qualifier !== qualifier) return false;
  return schema === undefined || (item.hasOwnName && item.table?.schema === schema);
}

function positionIn(items: readonly RangeItem[], name: string): ColumnPosition | undefined {
  const [item] = items;
  const column = item?.columns?.get(name);
  return item && column && items.length === 1 ? { item, column } : undefined;
}

function readNode(node: Node, tableOf: TableResolver): FromClause {
  const range = pick(node, 'RangeVar');
  if (range) return single(tableItem(range, tableOf(range)));
  const join = pick(node, 'JoinExpr');
  if (join) return readJoin(join, tableOf);
  const [fields] = Object.values(node) as [{ readonly alias?: Alias } | undefined];
  return single({ ...opaque(fields?.alias), isCall: !pick(node, 'RangeSubselect') });
}

function single(item: RangeItem): FromClause {
  return { root: { kind: 'item', item }, visible: [item] };
}

function opaque(alias: Alias | undefined): RangeItem {
  return { qualifier: alias?.aliasname, hasOwnName: false, table: undefined, columns: undefined };
}

const JOIN_TYPES: Readonly<Record<string, 'inner' | 'left' | 'right' | 'full'>> = {
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
    // Nothing is concluded from a join of another kind.
    type: JOIN_TYPES[join.jointype ?? ''] ?? 'full',
    left: left.root,
    right: right.root,
    quals: join.quals,
    visible: within,
  };
  // An alias of the whole join hides the names in it.
  if (join.alias) return { root, visible: [opaque(join.alias)] };
  return {
    root,
    visible: join.join_using_alias ? [...within, opaque(join.join_using_alias)] : within,
  };
}
