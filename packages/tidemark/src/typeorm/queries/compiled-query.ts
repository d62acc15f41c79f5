/** Compiles a bound query or a TypeORM query builder to the parts of its key and its plan. */
import {
  SelectQueryBuilder,
  type DataSource,
  type EntityMetadata,
  type ObjectLiteral,
  type QueryRunner,
} from 'typeorm';
import type { Refusal } from '../../core/statement-analysis.js';
import { BoundQuery, type QueryShape } from './bound-query.js';
import { nameOf } from '../database/data-source-name.js';
import { OtherDataSourceError } from './query-errors.js';
import { copyOf } from './builder-copy.js';
import { mappingOf } from './entity-fingerprint.js';
import { dataSourceOf } from '../typeorm-lines.js';
import { separateReadsOf, type SeparateReads } from './separate-reads.js';

type Builder = SelectQueryBuilder<ObjectLiteral>;

/** A query as handlers return it and `QueryCache.run` takes it. */
export type CacheableQuery = BoundQuery | Builder;

export interface CompiledQuery {
  readonly name: string;
  readonly sql: string;
  readonly parameters: readonly unknown[];
  readonly shape: QueryShape;
  /** Everything that shapes the answer and is not in the SQL text. */
  readonly answer: string;
  readonly builder: Builder;
  readonly bound: BoundQuery | undefined;
  /** The entity of its rows, if there is one. */
  readonly entity: EntityMetadata | undefined;
  /** Relations that TypeORM loads by further statements. */
  readonly separate: SeparateReads;
  /** Whether TypeORM may send more than one statement, which then need one snapshot. */
  readonly hasSeveralStatements: boolean;
  /** The query runner that the builder was created with, usually that of a transaction. */
  readonly queryRunner: QueryRunner | undefined;
  /** A refusal found before the SQL is analysed. */
  readonly refusal: Refusal | undefined;
}

export function isCacheableQuery(value: unknown): value is CacheableQuery {
  return value instanceof BoundQuery || value instanceof SelectQueryBuilder;
}

/**
 * The query as it is at the call. Later changes to a plain builder do not affect it, nor do later changes to parameters
 * that could not be copied when they were bound: with such parameters the query is built here, once.
 */
export function asCalled(query: CacheableQuery, source: DataSource): CacheableQuery {
  if (!(query instanceof BoundQuery)) return copyOf(query);
  if (query.ownsParameters) return query;
  const built = copyOf(query.build(source));
  return query.withBuild(() => copyOf(built));
}

/**
 * A builder of the query that the caller may change.
 *
 * @throws OtherDataSourceError
 */
export function buildQuery(query: CacheableQuery, source: DataSource): Builder {
  // A plain builder belongs to its creator and stays unchanged.
  const builder = query instanceof BoundQuery ? query.build(source) : copyOf(query);
  const dataSource = dataSourceOf(builder);
  // Tracers and others may wrap a data source; the driver identifies it.
  if (dataSource.driver !== source.driver) {
    throw new OtherDataSourceError(nameOfQuery(query), nameOf(dataSource), nameOf(source));
  }
  return builder;
}

/** The name in events: that of the definition, or of the entity. */
export function nameOfQuery(query: CacheableQuery): string {
  if (query instanceof BoundQuery) return query.name;
  const { mainAlias } = query.expressionMap;
  return (mainAlias?.hasMetadata && mainAlias.metadata.name) || 'query';
}

/** The query runner that the builder was created with: protected in TypeORM's types. */
export function queryRunnerOf(builder: Builder): QueryRunner | undefined {
  return (builder as unknown as { queryRunner?: QueryRunner }).queryRunner;
}

/** Detail of a refusal by {@link reasonOf}. */
export const RUNNER = 'the query builder brings a query runner';

/** Why a query with its own query runner is not cached. */
export function reasonOf({ isTransactionActive }: QueryRunner): 'transaction' | 'query-runner' {
  return isTransactionActive ? 'transaction' : 'query-runner';
}

/** @throws OtherDataSourceError */
export function compileQuery(query: CacheableQuery, source: DataSource): CompiledQuery {
  const bound = query instanceof BoundQuery ? query : undefined;
  const builder = buildQuery(query, source);
  const shape = bound?.shape ?? 'many';
  const isOfEntities = shape === 'many' || shape === 'one' || shape === 'many-and-count';
  const map = builder.expressionMap;
  // For entities, TypeORM also selects the primary keys.
  map.queryEntity = isOfEntities;
  const [sql, parameters] = builder.getQueryAndParameters() as [string, unknown[]];
  const isPaged = map.skip !== undefined || map.take !== undefined;
  const entity = map.mainAlias?.hasMetadata ? map.mainAlias.metadata : undefined;
  const separate = isOfEntities ? separateReadsOf(builder, source) : NOTHING;
  const mapping = shape === 'raw' ? '' : mappingOf(map, source);
  return {
    name: bound?.name ?? entity?.name ?? 'query',
    sql,
    parameters,
    shape,
    answer: mapping + separate.description + (bound?.keyText ?? ''),
    builder,
    bound,
    entity,
    separate,
    hasSeveralStatements:
      separate.sql !== undefined ||
      shape === 'many-and-count' ||
      (isPaged && map.joinAttributes.length > 0),
    queryRunner: queryRunnerOf(builder),
    refusal: whyUncacheable(builder, separate),
  };
}

/** Rows and counts come from the SQL alone. */
const NOTHING: SeparateReads = {
  sql: undefined,
  description: '',
  obstacle: undefined,
  hasLazyRelations: false,
};

function whyUncacheable(builder: Builder, { obstacle }: SeparateReads): Refusal | undefined {
  // TypeORM compares an optimistic lock with the row; it is not in the SQL.
  if (builder.expressionMap.lockMode !== undefined) {
    return { reason: 'locking-read', detail: 'the query builder asks for a lock' };
  }
  return obstacle === undefined ? undefined : { reason: 'separate-statements', detail: obstacle };
}
