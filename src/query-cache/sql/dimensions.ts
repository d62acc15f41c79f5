import type { ColumnFacts, Dimension, TableFacts } from '../core/table-facts.js';

export interface TableShape {
  readonly id: string;
  readonly columns: ReadonlyMap<string, ColumnFacts>;
  /** The columns' types as people write them. */
  readonly types: ReadonlyMap<string, string>;
  /** The columns of the primary key. */
  readonly key: readonly string[];
  readonly regions: readonly string[];
}

/**
 * What splits the table into regions. A primary key of a type without canonical text is left out;
 * a region column of such a type is an error of whoever declared it. A region column that is not
 * there yet, because no migration has made it, splits nothing.
 */
export function dimensionsOf(table: TableShape): Pick<TableFacts, 'dimensions' | 'primaryKey'> {
  const { key, columns } = table;
  const dimensions: Dimension[] = [];
  const isProving = (name: string): boolean => (columns.get(name)?.kind ?? 'other') !== 'other';
  const primaryKey = key.length > 0 && key.every(isProving) ? key.join(',') : undefined;
  if (primaryKey !== undefined) dimensions.push({ name: primaryKey, columns: key });
  for (const region of new Set(table.regions)) {
    const column = columns.get(region);
    if (!column) continue;
    requireProving(column, table);
    if (region !== primaryKey) dimensions.push({ name: region, columns: [region] });
  }
  return { dimensions, primaryKey };
}

function requireProving({ name, kind }: ColumnFacts, { id, types }: TableShape): void {
  if (kind === 'other') {
    throw new Error(
      `Column ${name} of table ${id} cannot be a region, its type being ${types.get(name)}: ` +
        'use text, varchar, an enum, an integer, uuid or boolean, or declare another column.',
    );
  }
}
