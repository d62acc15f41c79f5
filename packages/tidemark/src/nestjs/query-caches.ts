import type { DataSource } from 'typeorm';
import { BoundQuery } from '../typeorm/queries/define-query.js';
import type { CacheableQuery } from '../typeorm/queries/compiled-query.js';
import { DEFAULT_DATA_SOURCE } from '../typeorm/database/data-source-name.js';
import { QueryDefinitions } from '../typeorm/queries/query-definitions.js';
import type { CacheReader } from './cache-reader.js';

interface NamedCache {
  readonly source: DataSource;
  readonly reader: CacheReader;
}

/** The caches of one application, by the names of their data sources. */
export class QueryCaches {
  readonly definitions = new QueryDefinitions();
  readonly #caches = new Map<string, NamedCache>();

  add(name: string, cache: NamedCache): void {
    this.#caches.set(name, cache);
  }

  /** The reader of the query's data source. Without one, a reader that refuses the query: its error names both. */
  readerOf(query: CacheableQuery): CacheReader {
    const caches = [...this.#caches.values()];
    const own =
      query instanceof BoundQuery
        ? this.#caches.get(query.dataSource ?? DEFAULT_DATA_SOURCE)
        : // Tracers and others may wrap a data source; the driver identifies it.
          caches.find(({ source }) => source.driver === query.dataSource.driver);
    const cache = own ?? this.#caches.get(DEFAULT_DATA_SOURCE) ?? caches[0];
    if (!cache) throw new Error('There is no cache: import QueryCacheModule.forRoot().');
    return cache.reader;
  }
}
