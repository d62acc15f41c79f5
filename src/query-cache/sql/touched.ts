/** From rows that were written to the tables whose answers they may change. */
import type { Catalogue, Dimension, TableFacts } from '../core/table-facts.js';
import type { TouchedTable } from '../core/touched-regions.js';
import { rowTexts, valueOf, type ColumnText } from './term-values.js';

/** The texts of a dimension's columns, one list for each row image; `undefined`: not known. */
type Images = readonly (readonly ColumnText[])[] | undefined;

/** By dimension, the texts of its columns in the rows as they were and as they are; absent: any. */
export type WrittenValues = ReadonlyMap<string, readonly (readonly (string | null)[])[] | null>;

/**
 * All tables that rows written to one belong to: itself, and its partitions, parents and children.
 * `undefined` where the catalogue does not know one of them.
 */
export function tablesOfRows(
  facts: TableFacts,
  values: WrittenValues,
  catalogue: Catalogue,
): readonly TouchedTable[] | undefined {
  const dimensions = facts.dimensions.map((dimension) => {
    const { columns } = dimension;
    const images = values
      .get(dimension.name)
      ?.map((texts) =>
        texts.length === columns.length
          ? rowTexts(dimension, facts, (column) => texts[columns.indexOf(column)])
          : [undefined],
      );
    return [dimension.name, valuesIn(images)] as const;
  });
  const all: TouchedTable[] = [{ table: facts.id, dimensions: new Map(dimensions) }];
  for (const id of facts.relatives) {
    const relative = catalogue.tableById(id);
    if (!relative) return undefined;
    all.push(asRelative(new Map(dimensions), facts, relative));
  }
  return all;
}

/**
 * The same rows as rows of another member of the family: they have the same values where the
 * member has the same columns.
 */
function asRelative(
  known: TouchedTable['dimensions'],
  facts: TableFacts,
  relative: TableFacts,
): TouchedTable {
  const isSame = ({ name, columns }: Dimension): boolean =>
    known.has(name) &&
    columns.every(
      (column) => facts.columns.get(column)?.kind === relative.columns.get(column)?.kind,
    );
  const dimensions = relative.dimensions.map((dimension) => {
    const values = isSame(dimension) ? known.get(dimension.name) : undefined;
    return [dimension.name, values ?? 'unknown'] as const;
  });
  return { table: relative.id, dimensions: new Map(dimensions) };
}

/** NULL is in no region. */
function valuesIn(images: Images): ReadonlySet<string> | 'unknown' {
  if (!images) return 'unknown';
  const values = new Set<string>();
  for (const texts of images) {
    const value = valueOf(texts);
    if (value === undefined) return 'unknown';
    if (value !== null) values.add(value);
  }
  return values;
}
