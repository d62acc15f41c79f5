/** What the terms of a statement stand for once the parameters are known. */
import { canonicalValue, dimensionValue } from '../core/canonical-value.js';
import type { Confinement, Term } from '../core/statement-analysis.js';
import type { Dimension, TableFacts } from '../core/table-facts.js';

/** The canonical text of a column's value; `null` for NULL; `undefined` where it is not known. */
export type ColumnText = string | null | undefined;

export function columnText(facts: TableFacts, column: string, value: unknown): ColumnText {
  if (value === null) return null;
  return canonicalValue(facts.columns.get(column)?.kind ?? 'other', value);
}

export function termText(
  facts: TableFacts,
  column: string,
  term: Term,
  parameters: readonly unknown[],
): ColumnText {
  return columnText(facts, column, term.kind === 'constant' ? term.value : parameters[term.index]);
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
  for (const tuple of tuples) {
    const texts = dimension.columns.map((column, position) => {
      const term = tuple[position];
      return term && termText(facts, column, term, parameters);
    });
    if (texts.includes(undefined)) return undefined;
    if (!texts.includes(null)) confined.push(texts as string[]);
  }
  return confined;
}

/** The texts of a dimension's columns in a row; `columnOf` finds each column's value. */
export function rowTexts(
  dimension: Dimension,
  facts: TableFacts,
  valueIn: (column: string) => unknown,
): ColumnText[] {
  return dimension.columns.map((column) => columnText(facts, column, valueIn(column)));
}
