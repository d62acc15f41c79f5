import type { DataSource } from 'typeorm';
import { BoundQuery } from '../typeorm/queries/bound-query.js';
import type { CacheableQuery } from '../typeorm/queries/compiled-query.js';
import { DEFAULT_DATA_SOURCE } from '../typeorm/database/data-source-name.js';
import { dataSourceOf } from '../typeorm/typeorm-lines.js';
import { QueryDefinitions } from '../typeorm/queries/query-definitions.js';
import { mayBeOneDatabase } from '../typeorm/database/database-identity.js';
import type { CacheLifecycle } from './cache-lifecycle.js';
import type { CacheReader } from './cache-reader.js';
import type { QueryCacheOptions } from './query-cache.options.js';
import { placeOf } from './redis-option.js';

interface NamedCache {
  readonly source: DataSource;
  readonly reader: CacheReader;
  readonly options: Pick<QueryCacheOptions, 'enabled' | 'readOnly' | 'namespace' | 'redis'>;
}

/** Whether writes over one data source neither replace versions of the other nor reach its outbox. */
function isRival({ options: one }: NamedCache, { options: other }: NamedCache): boolean {
  if (!one.enabled || !other.enabled) return false;
  // Only a cache that follows writes reads the outbox of its namespace.
  if (one.namespace !== other.namespace) return one.readOnly || other.readOnly;
  return !one.redis || !other.redis || placeOf(one.redis) !== placeOf(other.redis);
}

/** The caches of one application, by the names of their data sources. */
export class QueryCaches {
  readonly definitions = new QueryDefinitions();
  readonly #caches = new Map<string, NamedCache>();
  /** Of the caches that were opened by a start that may still fail. */
  #lifecycles: CacheLifecycle[] = [];
  #hasStarted = false;
  #failure: Error | undefined;

  /** The names of the data sources that have a cache. */
  get names(): readonly string[] {
    return [...this.#caches.keys()];
  }

  /**
   * Runs a step of the start. If it fails, all caches are closed: Nest shuts down no module of an application that it
   * could not create. A module that a running application loads later closes only what was opened since.
   */
  async starting<T>(step: () => T | Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (error) {
      if (!this.#hasStarted) this.#failure ??= error as Error;
      const opened = this.#lifecycles;
      this.#lifecycles = [];
      await Promise.allSettled(opened.map((lifecycle) => lifecycle.onApplicationShutdown()));
      throw error;
    }
  }

  /** The application has started: Nest closes its caches when it shuts down. */
  started(): void {
    this.#hasStarted = true;
    this.#lifecycles = [];
  }

  /**
   * Call when the parts of a cache are open.
   *
   * @throws as {@link requireUnfailed} does
   */
  opened(lifecycle: CacheLifecycle): void {
    this.#lifecycles.push(lifecycle);
    this.requireUnfailed();
  }

  /** @throws the error of another step of the start that has failed meanwhile */
  requireUnfailed(): void {
    if (this.#failure) throw this.#failure;
  }

  /** @throws Error if two caches in this process could not see each other's writes. */
  async add(name: string, cache: NamedCache): Promise<void> {
    const rivals = [...this.#caches].filter(([, other]) => isRival(cache, other));
    this.#caches.set(name, cache);
    for (const [other, { source }] of rivals) {
      if (!(await mayBeOneDatabase(source, cache.source))) continue;
      throw new Error(
        `The data sources "${other}" and "${name}" lead to one database, or are not connected yet, and one of their ` +
          'caches would miss the writes of the other: give both the same `redis` and the same `namespace`, or, where ' +
          'neither is `readOnly`, another `namespace` to one of them.',
      );
    }
  }

  /** The reader of the query's data source. Without one, a reader that refuses the query: its error names both. */
  readerOf(query: CacheableQuery): CacheReader {
    const own =
      query instanceof BoundQuery
        ? this.#caches.get(query.dataSource ?? DEFAULT_DATA_SOURCE)
        : this.#ofDriver(dataSourceOf(query).driver);
    if (!own && query instanceof BoundQuery && !query.definition) {
      const { name, dataSource = DEFAULT_DATA_SOURCE } = query;
      throw new Error(
        `The query ${name} belongs to the data source "${dataSource}", which has no cache: name another one by the ` +
          'option `dataSource` of the query, or import QueryCacheModule for this one.',
      );
    }
    const [first] = this.#caches.values();
    const cache = own ?? this.#caches.get(DEFAULT_DATA_SOURCE) ?? first;
    if (!cache) throw new Error('There is no cache: import QueryCacheModule.forRoot().');
    return cache.reader;
  }

  /** Tracers and others may wrap a data source; the driver identifies it. */
  #ofDriver(driver: DataSource['driver']): NamedCache | undefined {
    return [...this.#caches.values()].find(({ source }) => source.driver === driver);
  }
}
