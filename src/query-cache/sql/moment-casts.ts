/**
 * Casts to dates and times. PostgreSQL takes some texts, such as `today`, for a moment relative to
 * the clock; so what is cast must be shown to be no text that comes from a row.
 */
import { resolveColumn, type RangeItem } from './from-clause.js';
import {
  namesOf,
  pick,
  qualifiedName,
  type FuncCall,
  type Node,
  type TypeName,
} from './syntax-tree.js';

const MOMENT_TYPES: ReadonlySet<string> = new Set(
  (
    'date time timetz timestamp timestamptz tsrange tstzrange daterange ' +
    'tsmultirange tstzmultirange datemultirange'
  ).split(' '),
);

const TIMESTAMP_TYPES: ReadonlySet<string> = new Set(['timestamp', 'timestamptz']);

/** Types whose values hold no text, so that their text is none that came from a row. */
const TYPES_WITHOUT_TEXT: ReadonlySet<string> = new Set([
  ...MOMENT_TYPES,
  ...'bool int2 int4 int8 float4 float8 numeric interval oid'.split(' '),
]);

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

/** Functions that answer a timestamp, whatever they are given. */
const ANSWER_TIMESTAMP: ReadonlySet<string> = new Set(
  'date_add date_bin date_subtract date_trunc make_timestamp make_timestamptz timestamp timestamptz timezone to_timestamp'.split(
    ' ',
  ),
);

export function isMomentName(name: string): boolean {
  return MOMENT_TYPES.has(name);
}

export function isMomentType(type: TypeName | undefined): boolean {
  return isMomentName(qualifiedName(type?.names).name);
}

/** `date(text)` is `text::date`, and a range may be made of one text. */
export function readsTextAsMoment(
  { funcname, args }: FuncCall,
  visible: readonly RangeItem[],
): boolean {
  if (!isMomentName(namesOf(funcname).at(-1) ?? '')) return false;
  return (args ?? []).some((arg) => mayBeStoredText(arg, visible));
}

/** `x AT TIME ZONE zone`, where x may be a time of day: what it becomes depends on the date. */
export function movesTimeOfDay(
  { funcname, args }: FuncCall,
  visible: readonly RangeItem[],
): boolean {
  return namesOf(funcname).at(-1) === 'timezone' && !isTimestamp(args?.at(-1), visible);
}

function isTimestamp(node: Node | undefined, visible: readonly RangeItem[]): boolean {
  const are = (nodes: readonly Node[] | undefined): boolean =>
    nodes !== undefined && nodes.every((part) => isTimestamp(part, visible));
  // PostgreSQL takes a plain constant for a timestamp here.
  if (pick(node, 'A_Const')) return true;
  const column = pick(node, 'ColumnRef');
  if (column) return resolveColumn(column, visible)?.column.nature === 'timestamp';
  const type = pick(node, 'TypeCast')?.typeName;
  if (type) return TIMESTAMP_TYPES.has(qualifiedName(type.names).name);
  const expression = pick(node, 'A_Expr');
  if (expression) {
    const { name } = qualifiedName(expression.name);
    return (name === '+' || name === '-') && isTimestamp(expression.lexpr, visible);
  }
  const call = pick(node, 'FuncCall');
  if (call) {
    const name = namesOf(call.funcname).at(-1) ?? '';
    return ANSWER_TIMESTAMP.has(name) || (ANSWER_ARGUMENTS.has(name) && are(call.args));
  }
  return are((pick(node, 'CoalesceExpr') ?? pick(node, 'MinMaxExpr'))?.args);
}

/** Whether the expression may be a text that is not written in the statement or sent with it. */
export function mayBeStoredText(node: Node | undefined, visible: readonly RangeItem[]): boolean {
  const areClear = (nodes: readonly (Node | undefined)[] | undefined): boolean =>
    nodes !== undefined && nodes.every((part) => !mayBeStoredText(part, visible));
  // Constants are looked at where they stand, parameters with the values that are sent.
  if (pick(node, 'A_Const') ?? pick(node, 'ParamRef')) return false;
  const column = pick(node, 'ColumnRef');
  if (column) return (resolveColumn(column, visible)?.column.nature ?? 'text') === 'text';
  const cast = pick(node, 'TypeCast');
  if (cast) {
    const { name } = qualifiedName(cast.typeName?.names);
    return !TYPES_WITHOUT_TEXT.has(name) && !areClear([cast.arg]);
  }
  const expression = pick(node, 'A_Expr');
  if (expression) {
    const { kind, lexpr, rexpr, name } = expression;
    if (kind === 'AEXPR_NULLIF') return !areClear([lexpr]);
    // Documents are subtracted from as well as numbers are.
    const operands = lexpr ? [lexpr, rexpr] : [rexpr];
    return !ARITHMETIC.has(qualifiedName(name).name) || !areClear(operands);
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
