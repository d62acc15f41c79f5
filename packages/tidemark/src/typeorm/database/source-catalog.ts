/** The catalog of a data source. */
import type { DataSource } from 'typeorm';
import { loadCatalog } from '../../postgres/catalog/catalog.js';
import type { CatalogLookup } from '../../postgres/catalog/catalog-lookup.js';
import type { RunSql } from '../../postgres/postgres-client.js';
import { regionPropertiesOf } from '../cache-region.decorator.js';

/**
 * For the transaction that reads a catalog: JIT compilation of its queries takes seconds, their execution milliseconds.
 */
export const PLAIN_PLANS = 'SET LOCAL jit = off';

/** The catalog, with the dimensions that the entities of the data source name. */
export async function loadCatalogOf(source: DataSource, run: RunSql): Promise<CatalogLookup> {
  const [row] = await run('SELECT pg_catalog.current_schema()::text AS schema');
  const schema = (row?.['schema'] as string | null | undefined) ?? 'public';
  return loadCatalog(run, regionColumnsOf(source, schema));
}

/** The columns named by `@CacheRegion`, by table. */
function regionColumnsOf(
  source: DataSource,
  defaultSchema: string,
): ReadonlyMap<string, readonly string[]> {
  const columns = new Map<string, readonly string[]>();
  for (const metadata of source.entityMetadatas) {
    const { name, target, schema = defaultSchema, tableName } = metadata;
    if (typeof target !== 'function') continue;
    const names = regionPropertiesOf(target).map((property) => {
      const column = metadata.findColumnWithPropertyName(property);
      if (column) return column.databaseName;
      throw new Error(
        `@CacheRegion of ${name} names \`${property}\`, which is no column: ` +
          'name a property that has @Column.',
      );
    });
    if (names.length > 0) columns.set(`${schema}.${tableName}`, names);
  }
  return columns;
}
