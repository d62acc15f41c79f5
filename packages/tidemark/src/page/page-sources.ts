/** The caches that the page shows, by the names of their data sources. */
import type { Type } from '@nestjs/common';
import type { ModuleRef } from '@nestjs/core';
import { InstanceReports } from '../nestjs/instance-reports.js';
import { QueryCacheOptions } from '../nestjs/query-cache.options.js';
import { QueryCache } from '../nestjs/query-cache.js';
import { getCacheToken } from '../nestjs/tokens.js';
import { DEFAULT_DATA_SOURCE } from '../typeorm/database/data-source-name.js';
import { PageProblem } from './page-problem.js';

export interface PageSource {
  readonly name: string;
  readonly cache: QueryCache;
  readonly reports: InstanceReports;
  readonly options: Readonly<QueryCacheOptions>;
}

export class PageSources {
  readonly #sources: ReadonlyMap<string, PageSource>;

  /** @throws Error if the application has no cache. */
  constructor(names: readonly string[], module: ModuleRef) {
    if (names.length === 0) {
      throw new Error(
        'CachePageModule.forRoot() shows the caches of the application, which has none: import ' +
          'QueryCacheModule.forRoot() beside it.',
      );
    }
    const part = <T>(type: Type<T>, name: string): T =>
      module.get<T>(getCacheToken(type, name), { strict: false });
    this.#sources = new Map(
      names.toSorted(defaultFirst).map((name) => [
        name,
        {
          name,
          cache: part(QueryCache, name),
          reports: part(InstanceReports, name),
          options: part(QueryCacheOptions, name),
        },
      ]),
    );
  }

  /** The default one first. */
  get names(): readonly string[] {
    return [...this.#sources.keys()];
  }

  /** Begins to count and to publish. */
  async start(): Promise<void> {
    for (const { reports } of this.#sources.values()) await reports.start();
  }

  /**
   * @param name the default data source by default, or the only one.
   * @throws PageProblem if there is no such data source.
   */
  of(name: unknown): PageSource {
    const [first] = this.#sources.values();
    const wanted =
      name ?? (this.#sources.has(DEFAULT_DATA_SOURCE) ? DEFAULT_DATA_SOURCE : first?.name);
    const found = typeof wanted === 'string' ? this.#sources.get(wanted) : undefined;
    if (found) return found;
    const names = this.names.map((one) => `"${one}"`).join(', ');
    throw new PageProblem(
      404,
      'no-such-source',
      `There is no cache of that data source: name one of ${names} by ?source=.`,
    );
  }
}

/** Data sources are opened at once, in no certain order. */
function defaultFirst(one: string, other: string): number {
  if (one === DEFAULT_DATA_SOURCE || other === DEFAULT_DATA_SOURCE) {
    return one === DEFAULT_DATA_SOURCE ? -1 : 1;
  }
  return one.localeCompare(other);
}
