/** From written rows to the tables whose answers they may change. */
import { dimensionValue } from './canonical-value.js';
import type { Catalog, Dimension, TableFacts } from '../../core/table-facts.js';
import type { WrittenTable } from '../../core/write-set.js';
import { columnText } from './term-values.js';

/** The texts of a dimension's columns, one list per old or new row. */
type Images = readonly (readonly (string | null)[])[];

/** By dimension; `null` or absent: any values. */
export type WrittenValues = ReadonlyMap<string, Images | null>;

/**
 * All tables that contain the rows written to one table: itself, its partitions, parents and children. `undefined` if
 * the catalog does not know one of them.
 */
export function tablesOfRows(
  facts: TableFacts,
  values: WrittenValues,
  catalog: Catalog,
): readonly WrittenTable[] | undefined {
  const own = new Map(
    facts.dimensions.map((dimension) => [
      dimension.name,
      valuesIn(dimension, facts, values.get(dimension.name)),
    ]),
  );
  const all: WrittenTable[] = [{ table: facts.id, dimensions: own }];
  for (const id of facts.relatives) {
    const relative = catalog.tableById(id);
    if (!relative) return undefined;
    // The same rows have the same values in a relative that has the same columns.
    const dimensions = relative.dimensions.map(({ name, columns }) => {
      const isSame = columns.every(
        (column) => facts.columns.get(column)?.kind === relative.columns.get(column)?.kind,
      );
      return [name, (isSame ? own.get(name) : undefined) ?? 'unknown'] as const;
    });
    all.push({ table: id, dimensions: new Map(dimensions) });
  }
  return all;
}

function valuesIn(
  { columns }: Dimension,
  facts: TableFacts,
  images: Images | null | undefined,
): ReadonlySet<string> | 'unknown' {
  if (!images) return 'unknown';
  const values = new Set<string>();
  for (const image of images) {
    if (image.length !== columns.length) return 'unknown';
    // NULL belongs to no region.
    if (image.includes(null)) continue;
    const texts = columns.map((column, position) => columnText(facts, column, image[position]));
    const known = texts.filter((text) => typeof text === 'string');
    if (known.length !== columns.length) return 'unknown';
    values.add(dimensionValue(known));
  }
  return values;
}
