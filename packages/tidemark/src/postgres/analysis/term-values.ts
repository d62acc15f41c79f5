/** The values of a statement's terms under given parameters. */
import { columnText } from './canonical-value.js';
import type { Restriction, Term } from '../../core/statement-analysis.js';
import type { TableFacts } from '../../core/table-facts.js';
import { MAX_TUPLES } from './restriction.js';

/**
 * The possible texts of the columns under the restriction, one list per tuple; `undefined` if a value has no canonical
 * text, or if there are too many. NULL is omitted: nothing equals it.
 */
export function restrictedTexts(
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

/** The values of a term; `undefined` if it needs a list and the parameter is none. */
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
