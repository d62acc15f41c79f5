/** Columns and plain values as expressions of a syntax tree. */
import type { Term } from '../core/statement-analysis.js';
import type { ColumnKind } from '../core/table-facts.js';
import {
  pick,
  qualifiedName,
  visit,
  type A_Const,
  type Node,
  type ParamRef,
  type TypeName,
} from './syntax-tree.js';

/** Casts that change no value of the kind. */
const HARMLESS_CASTS: Readonly<Record<ColumnKind, readonly string[]>> = {
  text: ['text', 'varchar'],
  integer: ['int2', 'int4', 'int8'],
  uuid: ['uuid'],
  boolean: ['bool'],
  other: [],
};

const PLAIN_DIGITS = /^(?:0|[1-9]\d*)$/;

/** A term as the text has it, with the parameter's node. */
export interface WrittenTerm {
  readonly term: Term;
  readonly parameter: ParamRef | undefined;
}

/** The expression below casts that change no value of that kind. */
export function withoutHarmlessCasts(node: Node | undefined, kind: ColumnKind): Node | undefined {
  return below(node, kind, ({ arrayBounds }) => !arrayBounds);
}

/** The list below casts to lists of types that change no value of that kind. */
export function withoutHarmlessListCast(
  node: Node | undefined,
  kind: ColumnKind,
): Node | undefined {
  return below(node, kind, ({ arrayBounds }) => arrayBounds?.length === 1);
}

function below(
  node: Node | undefined,
  kind: ColumnKind,
  isWanted: (type: TypeName) => boolean,
): Node | undefined {
  let inner = node;
  for (;;) {
    const cast = pick(inner, 'TypeCast');
    const type = cast?.typeName;
    if (!cast || !type) return inner;
    const { schema, name } = qualifiedName(type.names);
    const isPlain = !type.typmods && isWanted(type) && !type.setof && !type.pct_type;
    const isBuiltIn = schema === undefined || schema === 'pg_catalog';
    if (!isPlain || !isBuiltIn || !HARMLESS_CASTS[kind].includes(name)) return inner;
    inner = cast.arg;
  }
}

/** The parameter or constant that the expression is, compared with or assigned to that kind. */
export function termOf(node: Node | undefined, kind: ColumnKind): WrittenTerm | undefined {
  const inner = withoutHarmlessCasts(node, kind);
  const parameter = pick(inner, 'ParamRef');
  if (parameter) {
    const index = (parameter.number ?? 0) - 1;
    return index < 0 ? undefined : { term: { kind: 'parameter', index }, parameter };
  }
  const constant = pick(inner, 'A_Const');
  const value = constant && constantValue(constant, kind);
  return value === undefined
    ? undefined
    : { term: { kind: 'constant', value }, parameter: undefined };
}

function constantValue(
  constant: A_Const,
  kind: ColumnKind,
): string | number | boolean | null | undefined {
  if (constant.isnull) return null;
  if (constant.sval) return constant.sval.sval ?? '';
  // A cast of a user may read the column as a number, and many texts are one number.
  if (kind === 'text') return undefined;
  if (constant.ival) return constant.ival.ival ?? 0;
  if (constant.boolval) return constant.boolval.boolval ?? false;
  // A fraction or an exponent is not spelled in the table as it is here.
  const digits = constant.fval?.fval;
  return digits !== undefined && PLAIN_DIGITS.test(digits) ? digits : undefined;
}

/**
 * Which parameters stand for the same value wherever they occur. PostgreSQL infers one type for a
 * parameter from the first place that has one; where another place has a type of another kind,
 * the value compared need not be the value sent.
 */
export class ParameterUse {
  readonly #occurrences = new Map<number, ParamRef[]>();
  readonly #kinds = new Map<ParamRef, ColumnKind>();

  constructor(statement: Node) {
    visit(statement, (key, value) => {
      if (key !== 'ParamRef') return;
      const parameter = value as ParamRef;
      const index = (parameter.number ?? 0) - 1;
      this.#occurrences.set(index, [...(this.#occurrences.get(index) ?? []), parameter]);
    });
  }

  /** Notes that the parameter is compared with or assigned to a column of that kind. */
  note({ parameter }: WrittenTerm, kind: ColumnKind): void {
    if (parameter) this.#kinds.set(parameter, kind);
  }

  /** Whether every place the term's parameter occurs at is one of that kind. */
  isOnly(term: Term, kind: ColumnKind): boolean {
    if (term.kind === 'constant') return true;
    const occurrences = this.#occurrences.get(term.index) ?? [];
    return occurrences.every((parameter) => this.#kinds.get(parameter) === kind);
  }
}
