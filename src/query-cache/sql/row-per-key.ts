import { pick, visit, type Node, type SelectStmt } from './syntax-tree.js';

const PLAIN_FIELDS: ReadonlySet<string> = new Set([
  'targetList',
  'fromClause',
  'whereClause',
  'sortClause',
  'limitCount',
  'limitOption',
  'op',
]);

/**
 * Whether a SELECT from one table confined by primary key has at most one row for each key. No
 * part of it may multiply or merge rows: functions and operators can answer sets.
 */
export function isRowPerKey(select: SelectStmt): boolean {
  if (Object.keys(select).some((field) => !PLAIN_FIELDS.has(field))) return false;
  const [from] = select.fromClause ?? [];
  if (select.fromClause?.length !== 1 || !pick(from, 'RangeVar')) return false;
  const columnsAlone = (select.targetList ?? []).every((node) =>
    isPlain(pick(node, 'ResTarget')?.val),
  );
  // A function that answers sets multiplies rows in ORDER BY as well.
  const plainOrder = (select.sortClause ?? []).every((node) => isPlain(pick(node, 'SortBy')?.node));
  return columnsAlone && plainOrder && !hasSubquery(select);
}

function isPlain(node: Node | undefined): boolean {
  const cast = pick(node, 'TypeCast');
  if (cast) return isPlain(cast.arg);
  return ['ColumnRef', 'A_Const', 'ParamRef'].some((type) => node !== undefined && type in node);
}

function hasSubquery(select: SelectStmt): boolean {
  let found = false;
  visit(select, (key) => {
    found ||= key === 'SubLink';
  });
  return found;
}
