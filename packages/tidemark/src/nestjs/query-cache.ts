import type { DataSource } from 'typeorm';
import { canonicalValue } from '../postgres/analysis/canonical-value.js';
import { requireAll, replaceVersions } from '../core/buckets.js';
import type { CacheEvents } from '../core/ports/cache-events.js';
import { randomToken, valueVersion, WHOLE_TABLE } from '../core/versions.js';
import type { VersionStore } from '../core/ports/version-store.js';
import type { WriteEvents } from '../core/write-events.js';
import type { CacheReader } from './cache-reader.js';
import { QueryCacheFinds } from './query-cache-finds.js';
import type { Answered, BoundQuery } from '../typeorm/queries/bound-query.js';
import type { RunOptions } from './lifetime.js';
import type { QueryCacheOptions } from './query-cache.options.js';
import { compileQuery, reasonOf, type CacheableQuery } from '../typeorm/queries/compiled-query.js';
import type { WriteOrigins } from './write-origins.js';
import { warm, type WarmOptions, type WarmResult } from './warm.js';
import type { CatalogCache } from '../typeorm/database/catalog-cache.js';
import {
  explainDependencies,
  REMEDIES,
  type ExplainedDependency,
} from '../typeorm/queries/explain-plan.js';
import { planQuery, type QueryPlan } from '../typeorm/queries/query-planner.js';

/** A region of a table; without a dimension: the whole table. */
export interface Region {
  /** `schema.name`, as spelled in the database. */
  readonly table: string;
  /** A column named by `@CacheRegion`, or the primary key column. Requires a value. */
  readonly dimension?: string;
  readonly value?: string | number;
}

interface Remedy {
  /** The change that would make the query cacheable. */
  readonly remedy: string;
}

/** How the cache treats a query: its key and dependencies, or why it is not cached and what would change that. */
export type QueryExplanation = { readonly sql: string } & (
  | {
      readonly cacheable: true;
      readonly key: string;
      readonly dependencies: readonly ExplainedDependency[];
    }
  | (Extract<QueryPlan, { readonly cacheable: false }> & Remedy)
  | ({
      readonly cacheable: false;
      readonly reason: 'disabled';
      readonly detail: string;
    } & Remedy)
);

interface QueryCacheParts {
  readonly events: CacheEvents;
  readonly writeEvents: WriteEvents;
  readonly origins: WriteOrigins;
  readonly source: DataSource;
  readonly reader: CacheReader;
  readonly schema: CatalogCache;
  readonly versions: VersionStore;
  readonly options: Readonly<QueryCacheOptions>;
}

/** The query cache for services, jobs and resolvers. */
export class QueryCache extends QueryCacheFinds {
  /** Events of the cache, for metrics and logs. Listeners do not affect the cache. */
  readonly events: CacheEvents;

  constructor(private readonly parts: QueryCacheParts) {
    super();
    this.events = parts.events;
  }

  /**
   * Answers the query from the cache or the database; a builder is answered with its entities. Every call gets
   * separate values, with the same types whether they were stored or not. Rejects with the error of the query, or with
   * NotASelectError.
   */
  async run<Q extends CacheableQuery>(query: Q, options: RunOptions = {}): Promise<Answered<Q>> {
    const { fresh = false, ...lifetime } = options;
    const read = { ...lifetime, fresh: fresh ? ('store' as const) : undefined };
    const { value } = await this.parts.reader.readValue(query, read);
    return value as Answered<Q>;
  }

  /**
   * Stores the answers that are not stored yet, for routes and for `run`, such as at start and after a deployment.
   * Never rejects: the result has the errors of the queries.
   */
  warm(queries: readonly BoundQuery[], options?: WarmOptions): Promise<WarmResult> {
    return warm(this.parts.reader, queries, options);
  }

  /**
   * Invalidates all answers that depend on the regions, on every instance. Needed only for changes that neither the
   * service nor the database can see. Rejects if Redis is unavailable.
   */
  async invalidate(regions: readonly Region[]): Promise<void> {
    if (!this.parts.options.enabled) return;
    const named = new Map<string, Set<string>>();
    for (const region of regions) {
      const names = named.get(region.table) ?? new Set([WHOLE_TABLE]);
      named.set(region.table, names.add(this.#versionName(region)));
    }
    const tables = [...named].map(([table, names]) => ({ table, names: [...names] }));
    const { versions: store, options, writeEvents, origins } = this.parts;
    const origin = origins.current;
    const parts = { store, token: randomToken, leaseMs: options.markLeaseMs };
    await requireAll(replaceVersions(parts, tables));
    const write = { writeId: randomToken(), source: 'invalidate' } as const;
    writeEvents.invalidated(write, tables, { origin, statements: [] });
  }

  /**
   * Explains how the cache treats a query, without running it: its key and the tables that its answer depends on, each
   * with the reason why it counts whole or the values to which it is restricted; or why it is not cached, and what
   * would change that.
   *
   * @throws OtherDataSourceError
   */
  explain(query: CacheableQuery): QueryExplanation {
    const { source, schema, reader, options } = this.parts;
    reader.requireOwn(query);
    const compiled = compileQuery(query, source);
    const { sql, queryRunner } = compiled;
    if (!options.enabled) {
      const detail = 'QueryCacheModule has `enabled: false`';
      return { cacheable: false, sql, reason: 'disabled', detail, remedy: 'Leave out `enabled`.' };
    }
    if (queryRunner) {
      const detail = 'the query builder brings a query runner';
      const reason = reasonOf(queryRunner);
      return { cacheable: false, sql, reason, detail, remedy: REMEDIES[reason] };
    }
    const plan = planQuery(schema, compiled, 'json');
    if (!plan.cacheable) return { ...plan, sql, remedy: REMEDIES[plan.reason] };
    const dependencies = explainDependencies(schema, compiled, plan.dependencies);
    return { cacheable: true, sql, key: plan.key, dependencies };
  }

  /** @throws TypeError that names the fault in the region. */
  #versionName({ table, dimension, value }: Region): string {
    const facts = this.parts.schema.catalog.tables.find(({ id }) => id === table);
    if (!facts) throw new TypeError(`There is no table ${table}: name it as schema.table.`);
    if (dimension === undefined) return WHOLE_TABLE;
    const known = facts.dimensions.find(({ name }) => name === dimension);
    const [column, ...others] = known?.columns ?? [];
    const kind = column === undefined ? undefined : facts.columns.get(column)?.kind;
    if (kind === undefined || others.length > 0) {
      throw new TypeError(
        `${dimension} is no dimension of ${table}: name the primary key or a @CacheRegion column.`,
      );
    }
    const text = canonicalValue(kind, value);
    if (text === undefined) {
      throw new TypeError(`The value given for ${dimension} of ${table} is none of its type.`);
    }
    return valueVersion(dimension, text);
  }
}
