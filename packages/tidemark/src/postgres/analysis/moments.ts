/**
 * Texts that PostgreSQL reads as a moment relative to the clock, such as `today`, and casts to dates and times.
 * Constants and parameters are checked by value (`namesMoment`); any other expression under a cast must be proved not
 * to be a text from a row (`natureOf`).
 */
import type { ColumnNature } from '../../core/table-facts.js';
import { resolveColumn, type RangeItem } from './from-clause.js';
import { namesOf, pick, qualifiedName, words, type Node } from './syntax-tree.js';

const MOMENT_WORDS = words('now today tomorrow yesterday');
/** PostgreSQL rejects longer texts as dates, counted in letters and digits; lists and ranges may be longer. */
const MAX_CHARACTERS = 160;
/** Lists and ranges, which may contain any number of dates. */
const OPENING_BRACKET = /^\s*[[{(]/;
/** Lists and ranges drop these from a word. */
const QUOTING = /[\\"]/g;
/** PostgreSQL skips most of these. */
const BETWEEN_WORDS = /[^a-z0-9]+/g;

/** Whether the text, or a text in the list, would mean another date tomorrow. */
export function namesMoment(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(namesMoment);
  if (ArrayBuffer.isView(value)) {
    // Bytes are converted to a text if the server expects one.
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    return namesMoment(bytes.toString('latin1'));
  }
  if (typeof value !== 'string') return false;
  const text = value.toLowerCase().replaceAll(QUOTING, '');
  if (!OPENING_BRACKET.test(text)) {
    if (text.replaceAll(BETWEEN_WORDS, '').length > MAX_CHARACTERS) return false;
  }
  return text.split(/[^a-z]+/).some((word) => MOMENT_WORDS.has(word));
}

const MOMENT_TYPES = words(
  `date time timetz timestamp timestamptz tsrange tstzrange daterange
   tsmultirange tstzmultirange datemultirange`,
);
const TIMESTAMP_TYPES = words('timestamp timestamptz');
const NUMBER_TYPES = words('bool int2 int4 int8 float4 float8 numeric interval oid');

const ARITHMETIC = words('+ - * /');
const TIMESTAMP_FUNCTIONS = words(
  `date_add date_bin date_subtract date_trunc make_timestamp make_timestamptz timestamp timestamptz
   timezone to_timestamp`,
);
/** They never return a text. */
const TEXTLESS_FUNCTIONS = words(
  'age date date_part extract generate_series make_date make_interval make_time to_date',
);
/** They return one of their arguments. */
const CHOOSING_FUNCTIONS = words('max min lag lead first_value');

/** Whether it is the name of a date or time type, and of the functions that cast to it. */
export function isMomentName(name: string): boolean {
  return MOMENT_TYPES.has(name);
}

/** In order of precedence: of several natures, the last one wins. */
const NATURES = ['constant', 'timestamp', 'plain', 'zoned-time', 'text'] as const;
type Nature = ColumnNature | 'constant';

/** The nature of an expression's values; `text`: they may be a text from a row. */
export function natureOf(node: Node | undefined, visible: readonly RangeItem[]): Nature {
  const ofAll = (nodes: readonly (Node | undefined)[] | undefined): Nature => {
    const ranks = (nodes ?? []).map((part) => NATURES.indexOf(natureOf(part, visible)));
    return NATURES[Math.max(...ranks)] ?? 'text';
  };
  if (pick(node, 'A_Const')) return 'constant';
  if (pick(node, 'ParamRef')) return 'plain';
  const column = pick(node, 'ColumnRef');
  if (column) return resolveColumn(column, visible)?.column.nature ?? 'text';
  const cast = pick(node, 'TypeCast');
  if (cast) {
    const { name } = qualifiedName(cast.typeName?.names);
    if (TIMESTAMP_TYPES.has(name)) return 'timestamp';
    const isTextless = MOMENT_TYPES.has(name) || NUMBER_TYPES.has(name);
    return isTextless || ofAll([cast.arg]) !== 'text' ? 'plain' : 'text';
  }
  const expression = pick(node, 'A_Expr');
  if (expression) {
    const { kind, lexpr, rexpr, name: operator } = expression;
    const { name } = qualifiedName(operator);
    const nature = ofAll(lexpr ? [lexpr, rexpr] : [rexpr]);
    if (kind === 'AEXPR_NULLIF') return nature;
    // Subtraction applies to documents as well as to numbers.
    if (!ARITHMETIC.has(name) || nature === 'text') return 'text';
    return ofAll([lexpr]) === 'timestamp' ? 'timestamp' : 'plain';
  }
  const call = pick(node, 'FuncCall');
  if (call) {
    const name = namesOf(call.funcname).at(-1) ?? '';
    if (TIMESTAMP_FUNCTIONS.has(name)) return 'timestamp';
    if (TEXTLESS_FUNCTIONS.has(name)) return 'plain';
    return CHOOSING_FUNCTIONS.has(name) ? ofAll(call.args) : 'text';
  }
  return ofAll((pick(node, 'CoalesceExpr') ?? pick(node, 'MinMaxExpr'))?.args);
}
