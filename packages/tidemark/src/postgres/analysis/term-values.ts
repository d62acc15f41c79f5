/** What the terms of a statement stand for once the parameters are known. */
import { canonicalValue } from './canonical-value.js';
import type { Restriction, Term } from '../../core/statement-analysis.js';
import type { TableFacts } from '../../core/table-facts.js';
import { MAX_TUPLES } from './restriction.js';

/** The canonical text of a column's value; `null` for NULL; `undefined` where it is not known. */
export type ColumnText = string | null | undefined;

export function columnText(facts: TableFacts, column: string, value: unknown): ColumnText {
  if (value === null) return null;
  return canonicalValue(facts.columns.get(column)?.kind ?? 'other', value);
}

/**
 * The texts of the columns that the restriction leaves possible, one list for each tuple; `undefined`
 * where a value has no canonical text, or there are too many. NULL is left out: nothing equals it.
 */
export function confinedTexts(
  { dimension, tuples }: Restriction,
  facts: TableFacts,
  parameters: readonly unknown[],
): (readonly string[])[] | undefined {
  const restricted: (readonly string[])[] = [];
  for (const tuple of tuples) {
    let images: (readonly string[])[] = [[]];
    for (const [position, column] of dimension.columns.entries()) {
      const values = valuesOf(tuple[position], parameters);
      if (!values || values.length * images.length > MAX_TUPLES) return undefined;
      const texts = values.map((value) => columnText(facts, column, value));
      if (texts.includes(undefined)) return undefined;
      const known = texts.filter((text) => typeof text === 'string');
      images = images.flatMap((start) => known.map((text) => [...start, text]));
    }
    restricted.push(...images);
    if (restricted.length > MAX_TUPLES) return undefined;
  }
  return restricted;
}

/** The values that a term stands for; `undefined` where it wants a list and there is none. */
function valuesOf(
  term: Term | undefined,
  parameters: readonly unknown[],
): readonly unknown[] | undefined {
  if (!term) return undefined;
  if (term.kind === 'constant') return [term.value];
  const value = parameters[term.index];
  if (term.kind === 'parameter') return [value];
  return Array.isArray(value) ? value : undefined;
}
