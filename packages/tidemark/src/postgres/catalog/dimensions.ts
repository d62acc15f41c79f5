import type { ColumnFacts, Dimension, TableFacts } from '../../core/table-facts.js';

export interface TableShape {
  readonly id: string;
  readonly columns: ReadonlyMap<string, ColumnFacts>;
  /** The columns' types in SQL notation. */
  readonly types: ReadonlyMap<string, string>;
  /** The columns of the primary key. */
  readonly key: readonly string[];
  readonly regions: readonly string[];
}

/**
 * The dimensions that split the table into regions, without a primary key whose type has no canonical text, and without
 * a region column that no migration has created yet.
 *
 * @throws Error if the type of a region column has no canonical text.
 */
export function dimensionsOf(table: TableShape): Pick<TableFacts, 'dimensions' | 'primaryKey'> {
  const { key, columns } = table;
  const dimensions: Dimension[] = [];
  const isProving = (name: string): boolean => (columns.get(name)?.kind ?? 'other') !== 'other';
  const primaryKey = key.length > 0 && key.every(isProving) ? key.join(',') : undefined;
  if (primaryKey !== undefined) dimensions.push({ name: primaryKey, columns: key });
  for (const region of new Set(table.regions)) {
    if (!columns.has(region)) continue;
    if (!isProving(region)) {
      throw new Error(
        `Column ${region} of table ${table.id} cannot be a region, its type being ` +
          `${table.types.get(region)}: use text, varchar, an enum, an integer, uuid or boolean, ` +
          'or declare another column.',
      );
    }
    if (region !== primaryKey) dimensions.push({ name: region, columns: [region] });
  }
  return { dimensions, primaryKey };
}
