/**
 * Proofs that only some rows of a table can influence a statement.
 *
 * A row influences a statement through one of the table's references at a time. Equalities are strict: they reject rows
 * extended with nulls. So an equality that every result of the query level satisfies holds for the rows of every
 * reference, whatever the joins in between: if it names the null side of an outer join, the extended row is rejected
 * too; if not, it holds for the other side alone. In addition to WHERE, these hold for a reference:
 * - ON of an inner join around it, and of an outer join on whose null side it is (ON of an outer join drops no row of
 *   the other side, and ON of a full join drops none at all);
 * - the inner joins inside its join partner, wherever ON holds.
 */
import type { Restriction, Term } from '../../core/statement-analysis.js';
import type { Dimension, TableFacts } from '../../core/table-facts.js';
import {
  resolveColumn,
  type ColumnPosition,
  type FromNode,
  type RangeItem,
} from './from-clause.js';
import { pick, qualifiedName, type Node } from './syntax-tree.js';
import { withoutExactCasts, type TermReader } from './terms.js';

/** A longer list proves nothing: its versions would cost more than they save. */
export const MAX_TUPLES = 100;

/** `column = other`, or `column = term` / `column IN (terms)`. */
export interface Equality {
  readonly column: ColumnPosition;
  readonly other: ColumnPosition | undefined;
  readonly terms: readonly Term[];
}

/** A place where a statement reads rows of a table, and the equalities that these rows satisfy. */
export interface TableReference {
  readonly item: RangeItem;
  readonly table: TableFacts;
  readonly equalities: readonly Equality[];
}

export class EqualityReader {
  constructor(private readonly terms: TermReader) {}

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
      const on = [...inForce, ...this.#read(node.quals, node.visible)];
      const holdsLeft = node.type === 'inner' || node.type === 'right';
      const holdsRight = node.type === 'inner' || node.type === 'left';
      collect(node.left, holdsLeft ? [...on, ...this.#guaranteed(node.right)] : inForce);
      collect(node.right, holdsRight ? [...on, ...this.#guaranteed(node.left)] : inForce);
    };
    if (root) collect(root, this.#read(where, visible));
    return references;
  }

  /** Equalities that every row from the node satisfies. */
  #guaranteed(node: FromNode): Equality[] {
    if (node.kind === 'item' || node.type === 'full') return [];
    const left = node.type === 'right' ? [] : this.#guaranteed(node.left);
    const right = node.type === 'left' ? [] : this.#guaranteed(node.right);
    const on = node.type === 'inner' ? this.#read(node.quals, node.visible) : [];
    return [...on, ...left, ...right];
  }

  #read(condition: Node | undefined, items: readonly RangeItem[]): Equality[] {
    const compound = pick(condition, 'BoolExpr');
    if (compound) {
      const parts = (compound.args ?? []).map((part) => this.#read(part, items));
      if (compound.boolop === 'AND_EXPR') return parts.flat();
      return compound.boolop === 'OR_EXPR' ? inEvery(parts) : [];
    }
    const { kind, name: operator, lexpr: left, rexpr: right } = pick(condition, 'A_Expr') ?? {};
    const { schema = 'pg_catalog', name } = qualifiedName(operator);
    if (name !== '=' || schema !== 'pg_catalog') return [];
    if (kind === 'AEXPR_OP') return this.#equal(left, right, items);
    if (kind === 'AEXPR_OP_ANY') return this.#element(left, right, items);
    if (kind !== 'AEXPR_IN') return [];
    const values = pick(right, 'List')?.items ?? [];
    if (!pick(left, 'RowExpr')) return this.#oneOf(columnOf(left, items), values);
    return inEvery(values.map((value) => this.#equal(left, value, items)));
  }

  #equal(left: Node | undefined, right: Node | undefined, items: readonly RangeItem[]): Equality[] {
    const rows = [pick(left, 'RowExpr')?.args, pick(right, 'RowExpr')?.args] as const;
    if (rows[0] && rows[1] && rows[0].length === rows[1].length) {
      return rows[0].flatMap((part, index) => this.#equal(part, rows[1]?.[index], items));
    }
    const [a, b] = [columnOf(left, items), columnOf(right, items)];
    if (a && b) return a.column.kind === b.column.kind ? [{ column: a, other: b, terms: [] }] : [];
    return a ? this.#oneOf(a, [right]) : this.#oneOf(b, [left]);
  }

  /** `column = ANY (list)`, with a literal list or one parameter. */
  #element(
    side: Node | undefined,
    list: Node | undefined,
    items: readonly RangeItem[],
  ): Equality[] {
    const column = columnOf(side, items);
    if (!column) return [];
    const { kind } = column.column;
    const inner = withoutExactCasts(list, kind, 1);
    const written = pick(inner, 'A_ArrayExpr');
    if (written) return this.#oneOf(column, written.elements ?? []);
    const term = this.terms.read(inner, kind);
    if (term?.kind !== 'parameter') return [];
    return [{ column, other: undefined, terms: [{ kind: 'elements', index: term.index }] }];
  }

  #oneOf(column: ColumnPosition | undefined, values: readonly (Node | undefined)[]): Equality[] {
    if (!column) return [];
    const read = values.map((value) => this.terms.read(value, column.column.kind));
    const terms = read.filter((term) => term !== undefined);
    return terms.length === read.length ? [{ column, other: undefined, terms }] : [];
  }
}

/** Equalities that hold whichever of the parts is true: for columns that each part restricts. */
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

/** The proofs that hold for all references of a table together, the primary key's first. */
export function restrictionsOf(
  table: TableFacts,
  references: readonly TableReference[],
  terms: TermReader,
): Restriction[] {
  return table.dimensions.flatMap((dimension) => {
    const tuples = new Map<string, readonly Term[]>();
    for (const reference of references) {
      const proven = tuplesOf(reference, dimension, terms);
      if (!proven) return [];
      for (const tuple of proven) tuples.set(JSON.stringify(tuple), tuple);
    }
    return tuples.size > MAX_TUPLES ? [] : [{ dimension, tuples: [...tuples.values()] }];
  });
}

/** The values that the reference's rows can have in the dimension; `undefined` if any. */
export function tuplesOf(
  { item, equalities }: TableReference,
  dimension: Dimension,
  terms: TermReader,
): (readonly Term[])[] | undefined {
  let tuples: (readonly Term[])[] = [[]];
  for (const name of dimension.columns) {
    const column = item.columns?.get(name);
    const values = column && termsOf({ item, column }, equalities, terms);
    if (!values) return undefined;
    tuples = tuples.flatMap((tuple) => values.map((term) => [...tuple, term]));
    if (tuples.length > MAX_TUPLES) return undefined;
  }
  return tuples;
}

/** The shortest list of terms that the column equals, directly or through other columns. */
function termsOf(
  start: ColumnPosition,
  equalities: readonly Equality[],
  reader: TermReader,
): readonly Term[] | undefined {
  let shortest: readonly Term[] | undefined;
  const equal: ColumnPosition[] = [start];
  // The list grows during the loop.
  for (const position of equal) {
    for (const { column, other, terms } of equalities) {
      if (other) {
        const pair = [column, other];
        if (!pair.some((one) => isSame(one, position))) continue;
        equal.push(...pair.filter((one) => !equal.some((known) => isSame(known, one))));
      } else if (isSame(column, position)) {
        if (!terms.every((term) => reader.isOnly(term, start.column.kind))) continue;
        // Nothing equals NULL.
        const values = terms.filter((term) => term.kind !== 'constant' || term.value !== null);
        if (!shortest || values.length < shortest.length) shortest = values;
      }
    }
  }
  return shortest;
}

export function isSame(a: ColumnPosition, b: ColumnPosition): boolean {
  return a.item === b.item && a.column.name === b.column.name;
}

/** The column on one side of a comparison, if each of its values has one text. */
function columnOf(side: Node | undefined, items: readonly RangeItem[]): ColumnPosition | undefined {
  for (const kind of ['text', 'integer', 'uuid', 'boolean'] as const) {
    const reference = pick(withoutExactCasts(side, kind), 'ColumnRef');
    const position = reference && resolveColumn(reference, items);
    if (position?.column.kind === kind) return position;
  }
  return undefined;
}
