/** What the terms of a statement stand for once the parameters are known. */
import { canonicalValue, dimensionValue } from '../core/canonical-value.js';
import type { Confinement, Term } from '../core/statement-analysis.js';
import type { Dimension, TableFacts } from '../core/table-facts.js';

/** More values prove nothing: their versions would cost more than they save. */
const MOST_TUPLES = 100;

/** The canonical text of a column's value; `null` for NULL; `undefined` where it is not known. */
export type ColumnText = string | null | undefined;

export function columnText(facts: TableFacts, column: string, value: unknown): ColumnText {
  if (value === null) return null;
  return canonicalValue(facts.columns.get(column)?.kind ?? 'other', value);
}

/** A dimension's value from the texts of its columns; `null` where one of them is NULL. */
export function valueOf(texts: readonly ColumnText[]): ColumnText {
  if (texts.includes(null)) return null;
  const known = texts.filter((text): text is string => typeof text === 'string');
  return known.length === texts.length ? dimensionValue(known) : undefined;
}

/**
 * The texts of the columns that the confinement leaves possible, one list for each tuple;
 * `undefined` where a value has no canonical text. Tuples with NULL are dropped: nothing equals it.
 */
export function confinedTexts(
  { dimension, tuples }: Confinement,
  facts: TableFacts,
  parameters: readonly unknown[],
): (readonly string[])[] | undefined {
  const confined: (readonly string[])[] = [];
  const known = tuples.flatMap((tuple) => withElements(tuple, parameters) ?? [undefined]);
  if (known.length > MOST_TUPLES) return undefined;
  for (const tuple of known) {
    if (!tuple) return undefined;
    const texts = dimension.columns.map((column, position) => {
      const term = tuple[position];
      if (!term) return undefined;
      const value = term.kind === 'constant' ? term.value : parameters[term.index];
      return columnText(facts, column, value);
    });
    if (texts.includes(undefined)) return undefined;
    if (!texts.includes(null)) confined.push(texts as string[]);
  }
  return confined;
}

/** The tuples that a tuple stands for whose terms may be lists; `undefined` where one is no list. */
function withElements(
  tuple: readonly Term[],
  parameters: readonly unknown[],
): (readonly Term[])[] | undefined {
  let tuples: (readonly Term[])[] = [[]];
  for (const term of tuple) {
    const terms = term.kind === 'elements' ? elementsOf(parameters[term.index]) : [term];
    if (!terms || terms.length * tuples.length > MOST_TUPLES) return undefined;
    tuples = tuples.flatMap((start) => terms.map((next) => [...start, next]));
  }
  return tuples;
}

function elementsOf(list: unknown): Term[] | undefined {
  if (!Array.isArray(list)) return undefined;
  return list.map((value: string | number | boolean | null) => ({ kind: 'constant', value }));
}

/** The texts of a dimension's columns in a row; `valueIn` finds each column's value. */
export function rowTexts(
  dimension: Dimension,
  facts: TableFacts,
  valueIn: (column: string) => unknown,
): ColumnText[] {
  return dimension.columns.map((column) => columnText(facts, column, valueIn(column)));
}
