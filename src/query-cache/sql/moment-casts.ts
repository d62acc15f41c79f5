/**
 * Casts to dates and times. PostgreSQL takes some texts, such as `today`, for a moment relative to
 * the clock; so what is cast must be shown to be no text that comes from a row.
 */
import { resolveColumn, type RangeItem } from './from-clause.js';
import { namesOf, pick, qualifiedName, type Node, type TypeName } from './syntax-tree.js';

const MOMENT_TYPES: ReadonlySet<string> = new Set(
  'date time timetz timestamp timestamptz tsrange tstzrange daterange'.split(' '),
);

const TEXT_TYPES: ReadonlySet<string> = new Set(['text', 'varchar', 'bpchar', 'char', 'name']);

const ARITHMETIC: ReadonlySet<string> = new Set(['+', '-', '*', '/']);

/** Functions of PostgreSQL's that never answer a text. */
const ANSWER_NO_TEXT: ReadonlySet<string> = new Set(
  (
    'age date date_add date_bin date_part date_subtract date_trunc extract generate_series ' +
    'make_date make_time make_timestamp make_timestamptz timestamp timestamptz timezone ' +
    'to_date to_timestamp'
  ).split(' '),
);

/** Functions that answer one of their arguments. */
const ANSWER_ARGUMENTS: ReadonlySet<string> = new Set(['max', 'min', 'lag', 'lead', 'first_value']);

export function isMomentType(type: TypeName | undefined): boolean {
  return MOMENT_TYPES.has(qualifiedName(type?.names).name);
}

/** Whether the expression may be a text that is not written in the statement or sent with it. */
export function mayBeStoredText(node: Node | undefined, visible: readonly RangeItem[]): boolean {
  const areClear = (nodes: readonly (Node | undefined)[] | undefined): boolean =>
    nodes !== undefined && nodes.every((part) => !mayBeStoredText(part, visible));
  // Constants are looked at where they stand, parameters with the values that are sent.
  if (pick(node, 'A_Const') ?? pick(node, 'ParamRef')) return false;
  const column = pick(node, 'ColumnRef');
  if (column) return (resolveColumn(column, visible)?.column.kind ?? 'text') === 'text';
  const cast = pick(node, 'TypeCast');
  if (cast) {
    const isText = TEXT_TYPES.has(qualifiedName(cast.typeName?.names).name);
    return isText && !areClear([cast.arg]);
  }
  const expression = pick(node, 'A_Expr');
  if (expression) {
    if (expression.kind === 'AEXPR_NULLIF') return !areClear([expression.lexpr]);
    return !ARITHMETIC.has(qualifiedName(expression.name).name);
  }
  const call = pick(node, 'FuncCall');
  if (call) {
    const name = namesOf(call.funcname).at(-1) ?? '';
    if (ANSWER_NO_TEXT.has(name)) return false;
    return !ANSWER_ARGUMENTS.has(name) || !areClear(call.args);
  }
  const choice = pick(node, 'CoalesceExpr') ?? pick(node, 'MinMaxExpr');
  return !areClear(choice?.args);
}
