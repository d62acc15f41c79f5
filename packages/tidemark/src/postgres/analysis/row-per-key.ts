import { pick, visit, words, type Node, type SelectStmt } from './syntax-tree.js';

const PLAIN_FIELDS = words(
  'targetList fromClause whereClause sortClause limitCount limitOption op',
);

/**
 * Whether a SELECT from one table restricted by primary key has at most one row per key. No part of it may multiply or
 * merge rows: functions and operators can return sets.
 */
export function isRowPerKey(select: SelectStmt): boolean {
  const { fromClause = [], targetList = [], sortClause = [] } = select;
  let isPlain = Object.keys(select).every((field) => PLAIN_FIELDS.has(field));
  isPlain &&= fromClause.length === 1 && pick(fromClause[0], 'RangeVar') !== undefined;
  isPlain &&= targetList.every((node) => isPlainValue(pick(node, 'ResTarget')?.val));
  isPlain &&= sortClause.every((node) => isPlainValue(pick(node, 'SortBy')?.node));
  visit(select, (key) => {
    isPlain &&= key !== 'SubLink';
  });
  return isPlain;
}

function isPlainValue(node: Node | undefined): boolean {
  const cast = pick(node, 'TypeCast');
  if (cast) return isPlainValue(cast.arg);
  return ['ColumnRef', 'A_Const', 'ParamRef'].some((type) => node !== undefined && type in node);
}
