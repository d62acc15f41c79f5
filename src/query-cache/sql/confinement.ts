/**
 * Proofs that only some rows of a table can influence a statement.
 *
 * A row influences a statement through one of the table's references at a time. Equalities are
 * strict: they reject rows extended with nulls. So an equality that every result of the query
 * level satisfies holds for the rows of every reference, whatever the joins between: where it
 * names the null side of an outer join, the extended row is rejected as well, and where it does
 * not, it holds of the other side alone. Beside WHERE these are in force for a reference:
 * - ON of an inner join around it, and of an outer join on whose null side it is (ON of an outer
 *   join drops no row of the other side, and that of a full join none at all);
 * - what a neighbour's own inner joins guarantee, wherever ON is in force.
 */
import type { Confinement, Term } from '../core/statement-analysis.js';
import type { ColumnKind, Dimension, TableFacts } from '../core/table-facts.js';
import {
  resolveColumn,
  type ColumnPosition,
  type FromNode,
  type RangeItem,
} from './from-clause.js';
import { pick, qualifiedName, type Node } from './syntax-tree.js';
import {
  termOf,
  withoutHarmlessCasts,
  withoutHarmlessListCast,
  type ParameterUse,
  type WrittenTerm,
} from './terms.js';

/** A longer list proves nothing: its versions would cost more than they save. */
const MOST_TUPLES = 100;

/** `column = other column`, or `column = term` / `column IN (terms)`. */
export interface Equality {
  readonly column: ColumnPosition;
  readonly other: ColumnPosition | undefined;
  readonly terms: readonly Term[];
}

/** A place where a statement takes rows from a table, and what holds for these rows. */
export interface TableReference {
  readonly item: RangeItem;
  readonly table: TableFacts;
  readonly equalities: readonly Equality[];
}

/** Reads the equalities of conditions, and notes the parameters in them. */
export class EqualityReader {
  constructor(private readonly parameters: ParameterUse) {}

  /** The references of one query level. */
  references(
    root: FromNode | undefined,
    where: Node | undefined,
    visible: readonly RangeItem[],
  ): TableReference[] {
    const references: TableReference[] = [];
    const collect = (node: FromNode, inForce: readonly Equality[]): void => {
      if (node.kind === 'item') {
        const { item } = node;
        if (item.table) references.push({ item, table: item.table, equalities: inForce });
        return;
      }
      const on = this.#read(node.quals, node.visible);
      const holdsLeft = node.type === 'inner' || node.type === 'right';
      const holdsRight = node.type === 'inner' || node.type === 'left';
      const ofLeft = holdsLeft ? [...inForce, ...on, ...this.#guaranteed(node.right)] : inForce;
      const ofRight = holdsRight ? [...inForce, ...on, ...this.#guaranteed(node.left)] : inForce;
      collect(node.left, ofLeft);
      collect(node.right, ofRight);
    };
    if (root) collect(root, this.#read(where, visible));
    return references;
  }

  /** What every row that comes out of the node satisfies. */
  #guaranteed(node: FromNode): Equality[] {
    if (node.kind === 'item' || node.type === 'full') return [];
    if (node.type === 'left') return this.#guaranteed(node.left);
    if (node.type === 'right') return this.#guaranteed(node.right);
    const on = this.#read(node.quals, node.visible);
    return [...on, ...this.#guaranteed(node.left), ...this.#guaranteed(node.right)];
  }

  #read(condition: Node | undefined, items: readonly RangeItem[]): Equality[] {
    if (!condition) return [];
    const compound = pick(condition, 'BoolExpr');
    if (compound) {
      const parts = (compound.args ?? []).map((part) => this.#read(part, items));
      if (compound.boolop === 'AND_EXPR') return parts.flat();
      return compound.boolop === 'OR_EXPR' ? inEvery(parts) : [];
    }
    const comparison = pick(condition, 'A_Expr');
    if (!comparison || !isEquals(comparison.name)) return [];
    const { kind, lexpr: left, rexpr: right } = comparison;
    switch (kind) {
      case 'AEXPR_OP':
        return this.#equal(left, right, items);
      case 'AEXPR_IN': {
        const values = pick(right, 'List')?.items ?? [];
        if (!pick(left, 'RowExpr')) return this.#oneOf(left, values, items);
        return inEvery(values.map((value) => this.#equal(left, value, items)));
      }
      case 'AEXPR_OP_ANY':
        return this.#element(left, right, items);
      default:
        return [];
    }
  }

  #equal(left: Node | undefined, right: Node | undefined, items: readonly RangeItem[]): Equality[] {
    const rows = [pick(left, 'RowExpr')?.args, pick(right, 'RowExpr')?.args] as const;
    if (rows[0] && rows[1] && rows[0].length === rows[1].length) {
      return rows[0].flatMap((part, index) => this.#equal(part, rows[1]?.[index], items));
    }
    const [a, b] = [columnOf(left, items), columnOf(right, items)];
    if (a && b) return a.column.kind === b.column.kind ? [{ column: a, other: b, terms: [] }] : [];
    if (a) return this.#oneOf(left, right ? [right] : [], items);
    return b ? this.#oneOf(right, left ? [left] : [], items) : [];
  }

  /** `column = ANY (list)`, the list being written out or one parameter. */
  #element(
    side: Node | undefined,
    list: Node | undefined,
    items: readonly RangeItem[],
  ): Equality[] {
    const column = columnOf(side, items);
    if (!column) return [];
    const { kind } = column.column;
    const inner = withoutHarmlessListCast(list, kind);
    const written = pick(inner, 'A_ArrayExpr');
    if (written) return this.#oneOf(side, written.elements ?? [], items);
    const parameter = termOf(inner, kind);
    if (parameter?.term.kind !== 'parameter') return [];
    this.parameters.note(parameter, kind);
    return [
      { column, other: undefined, terms: [{ kind: 'elements', index: parameter.term.index }] },
    ];
  }

  #oneOf(side: Node | undefined, values: readonly Node[], items: readonly RangeItem[]): Equality[] {
    const column = columnOf(side, items);
    if (!column) return [];
    const { kind } = column.column;
    const written = values.map((value) => termOf(value, kind));
    const terms = written.filter((term): term is WrittenTerm => term !== undefined);
    for (const term of terms) this.parameters.note(term, kind);
    if (terms.length !== written.length) return [];
    return [{ column, other: undefined, terms: terms.map(({ term }) => term) }];
  }
}

/** What holds whichever of the parts does: columns that each of them confines. */
function inEvery(parts: readonly (readonly Equality[])[]): Equality[] {
  const [first = [], ...others] = parts;
  return first.flatMap((equality) => {
    if (equality.other) return [];
    const terms = [...equality.terms];
    for (const part of others) {
      const same = part.find(({ column, other }) => !other && isSame(column, equality.column));
      if (!same) return [];
      terms.push(...same.terms);
    }
    return [{ ...equality, terms }];
  });
}

/** What holds for all references of a table together; the primary key first. */
export function confinementsOf(
  table: TableFacts,
  references: readonly TableReference[],
  parameters: ParameterUse,
): Confinement[] {
  return table.dimensions.flatMap((dimension) => {
    const tuples = new Map<string, readonly Term[]>();
    for (const reference of references) {
      const proven = tuplesOf(reference, dimension, parameters);
      if (!proven) return [];
      for (const tuple of proven) tuples.set(JSON.stringify(tuple), tuple);
    }
    return tuples.size > MOST_TUPLES ? [] : [{ dimension, tuples: [...tuples.values()] }];
  });
}

/** The values the reference's rows can have in the dimension; `undefined` where any. */
function tuplesOf(
  { item, equalities }: TableReference,
  dimension: Dimension,
  parameters: ParameterUse,
): (readonly Term[])[] | undefined {
  let tuples: (readonly Term[])[] = [[]];
  for (const name of dimension.columns) {
    const column = item.columns?.get(name);
    const terms = column && termsOf({ item, column }, equalities, parameters);
    if (!terms) return undefined;
    tuples = tuples.flatMap((tuple) => terms.map((term) => [...tuple, term]));
    if (tuples.length > MOST_TUPLES) return undefined;
  }
  return tuples;
}

/** The shortest list of terms the column equals, directly or through columns it equals. */
function termsOf(
  start: ColumnPosition,
  equalities: readonly Equality[],
  parameters: ParameterUse,
): readonly Term[] | undefined {
  const { kind } = start.column;
  let shortest: readonly Term[] | undefined;
  const equal: ColumnPosition[] = [start];
  // The list grows while it is walked.
  for (const position of equal) {
    for (const { column, other, terms } of equalities) {
      if (other) {
        const next = isSame(column, position)
          ? other
          : isSame(other, position)
            ? column
            : undefined;
        if (next && !equal.some((known) => isSame(known, next))) equal.push(next);
      } else if (isSame(column, position) && isUsable(terms, kind, parameters)) {
        // Nothing equals NULL.
        const values = terms.filter((term) => term.kind !== 'constant' || term.value !== null);
        if (!shortest || values.length < shortest.length) shortest = values;
      }
    }
  }
  return shortest;
}

function isUsable(terms: readonly Term[], kind: ColumnKind, parameters: ParameterUse): boolean {
  return terms.every((term) => parameters.isOnly(term, kind));
}

function isSame(a: ColumnPosition, b: ColumnPosition): boolean {
  return a.item === b.item && a.column.name === b.column.name;
}

/** The column a side of a comparison is, where each value of it has one text. */
function columnOf(side: Node | undefined, items: readonly RangeItem[]): ColumnPosition | undefined {
  const plain = pick(side, 'ColumnRef');
  if (plain) {
    const position = resolveColumn(plain, items);
    return position && position.column.kind !== 'other' ? position : undefined;
  }
  for (const kind of ['text', 'integer', 'uuid', 'boolean'] as const) {
    const reference = pick(withoutHarmlessCasts(side, kind), 'ColumnRef');
    const position = reference && resolveColumn(reference, items);
    if (position?.column.kind === kind) return position;
  }
  return undefined;
}

function isEquals(operator: readonly Node[] | undefined): boolean {
  const { schema, name } = qualifiedName(operator);
  return name === '=' && (schema === undefined || schema === 'pg_catalog');
}
