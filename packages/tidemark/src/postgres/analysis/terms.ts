/** The parameters and constants that a statement compares with columns. */
import type { Term } from '../../core/statement-analysis.js';
import type { ColumnKind } from '../../core/table-facts.js';
import {
  pick,
  qualifiedName,
  visit,
  words,
  type A_Const,
  type Node,
  type ParamRef,
  type TypeName,
} from './syntax-tree.js';

/** Casts that preserve every value of the kind. */
const EXACT_CASTS: Readonly<Record<ColumnKind, ReadonlySet<string>>> = {
  text: words('text varchar'),
  integer: words('int2 int4 int8'),
  uuid: words('uuid'),
  boolean: words('bool'),
  other: new Set(),
};

const PLAIN_DIGITS = /^(?:0|[1-9]\d*)$/;

/**
 * The expression inside casts that preserve every value of that kind, or every list of such values.
 *
 * @param dimensions 0: casts to the types themselves; 1: to lists of them.
 */
export function withoutExactCasts(
  node: Node | undefined,
  kind: ColumnKind,
  dimensions: 0 | 1 = 0,
): Node | undefined {
  let inner = node;
  for (;;) {
    const cast = pick(inner, 'TypeCast');
    if (!cast?.typeName || !keepsValue(cast.typeName, kind, dimensions)) return inner;
    inner = cast.arg;
  }
}

function keepsValue(type: TypeName, kind: ColumnKind, dimensions: number): boolean {
  const { schema, name } = qualifiedName(type.names);
  const isBuiltIn = schema === undefined || schema === 'pg_catalog';
  const isPlain = !type.typmods && !type.setof && !type.pct_type;
  const isWanted = (type.arrayBounds?.length ?? 0) === dimensions;
  return isBuiltIn && isPlain && isWanted && EXACT_CASTS[kind].has(name);
}

function constantValue(
  constant: A_Const,
  kind: ColumnKind,
): string | number | boolean | null | undefined {
  if (constant.isnull) return null;
  if (constant.sval) return constant.sval.sval ?? '';
  // A user's cast may read the column as a number, and many texts mean the same number.
  if (kind === 'text') return undefined;
  if (constant.ival) return constant.ival.ival ?? 0;
  if (constant.boolval) return constant.boolval.boolval ?? false;
  // A fraction or an exponent has another spelling in the table than here.
  const digits = constant.fval?.fval;
  return digits !== undefined && PLAIN_DIGITS.test(digits) ? digits : undefined;
}

/**
 * Reads terms, and knows which parameters have the same value wherever they occur. PostgreSQL infers one type for a
 * parameter from its first typed occurrence; if another occurrence has a type of another kind, the compared value may
 * differ from the sent one.
 */
export class TermReader {
  readonly #occurrences = new Map<number, ParamRef[]>();
  /** The column kinds with which occurrences are compared. */
  readonly #kinds = new Map<ParamRef, ColumnKind>();

  constructor(statement: object) {
    visit(statement, (key, value) => {
      if (key !== 'ParamRef') return;
      const index = indexOf(value);
      this.#occurrences.set(index, [...(this.#occurrences.get(index) ?? []), value]);
    });
  }

  /** The parameter or constant that the expression consists of, compared with a column of that kind. */
  read(node: Node | undefined, kind: ColumnKind): Term | undefined {
    const inner = withoutExactCasts(node, kind);
    const parameter = pick(inner, 'ParamRef');
    if (parameter) {
      this.#kinds.set(parameter, kind);
      const index = indexOf(parameter);
      return index < 0 ? undefined : { kind: 'parameter', index };
    }
    const constant = pick(inner, 'A_Const');
    const value = constant && constantValue(constant, kind);
    return value === undefined ? undefined : { kind: 'constant', value };
  }

  /** Whether the term's parameter is compared with columns of that kind at every occurrence. */
  isOnly(term: Term, kind: ColumnKind): boolean {
    if (term.kind === 'constant') return true;
    const occurrences = this.#occurrences.get(term.index) ?? [];
    return occurrences.every((parameter) => this.#kinds.get(parameter) === kind);
  }
}

function indexOf(parameter: ParamRef): number {
  return (parameter.number ?? 0) - 1;
}
