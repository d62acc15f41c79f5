import { isMeant, resolveColumn, type RangeItem } from './from-clause.js';
import { namesOf, pick, qualifiedName, type Node, type ReturningClause } from './syntax-tree.js';

const NONE: ReadonlyMap<string, string> = new Map();

/**
 * Columns of the written table by result column, where RETURNING gives the column as it is.
 *
 * A result has one value for each name, and the last of two columns of one name wins; so a name
 * that occurs twice, or may do so, is left out.
 */
export function returnedColumns(
  clause: ReturningClause | undefined,
  written: RangeItem,
  visible: readonly RangeItem[],
): ReadonlyMap<string, string> {
  // Options give the old and new row names of their own.
  if (!clause || clause.options) return NONE;
  const columns: [name: string, column: string | undefined][] = [];
  for (const node of clause.exprs ?? []) {
    const part = returnedBy(node, written, visible);
    if (!part) return NONE;
    columns.push(...part);
  }
  const isUnique = (name: string): boolean =>
    columns.filter(([other]) => other === name).length === 1;
  const returned = new Map<string, string>();
  for (const [name, column] of columns) {
    if (column !== undefined && isUnique(name)) returned.set(name, column);
  }
  return returned;
}

/** Names and columns of one entry; `undefined` where its names are not known. */
function returnedBy(
  node: Node,
  written: RangeItem,
  visible: readonly RangeItem[],
): [name: string, column: string | undefined][] | undefined {
  const { name, val } = pick(node, 'ResTarget') ?? {};
  const reference = pick(val, 'ColumnRef');
  const last = reference?.fields?.at(-1);
  if (reference && last && pick(last, 'A_Star')) {
    const [qualifier, schema] = namesOf(reference.fields?.slice(0, -1)).toReversed();
    const isWritten =
      qualifier === undefined ? visible.length === 1 : isMeant(written, qualifier, schema);
    const isCertain = isWritten && visible.filter((item) => item === written).length === 1;
    return isCertain && written.columns
      ? [...written.columns.keys()].map((column) => [column, column])
      : undefined;
  }
  if (reference) {
    const position = resolveColumn(reference, visible);
    const column = position?.item === written ? position.column.name : undefined;
    return [[name ?? namesOf(reference.fields).at(-1) ?? '', column]];
  }
  const call = pick(val, 'FuncCall');
  const resultName = name ?? (call && qualifiedName(call.funcname).name);
  return resultName === undefined ? undefined : [[resultName, undefined]];
}
