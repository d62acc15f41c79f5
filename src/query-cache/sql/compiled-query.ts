/** Compiles a bound query or a TypeORM query builder to what its key and its plan are made of. */
import { SelectQueryBuilder, type DataSource, type ObjectLiteral, type QueryRunner } from 'typeorm';
import type { UncacheableReason } from '../core/statement-analysis.js';
import { BoundQuery, type QueryShape } from '../define-query.js';

/** What handlers return and `QueryCache.run` takes. */
export type CacheableQuery = BoundQuery | SelectQueryBuilder<ObjectLiteral>;

export interface CompiledQuery {
  readonly name: string;
  readonly sql: string;
  readonly parameters: readonly unknown[];
  readonly shape: QueryShape;
  /** Everything about the answer that the SQL text does not say. */
  readonly answer: string;
  readonly builder: SelectQueryBuilder<ObjectLiteral>;
  readonly bound: BoundQuery | undefined;
  /** Whether TypeORM sends more than one statement, which then need one snapshot. */
  readonly hasSeveralStatements: boolean;
  /** The query runner the builder was bound to by its maker. */
  readonly queryRunner: QueryRunner | undefined;
  /** A reason found before the SQL is looked at. */
  readonly refusal: UncacheableReason | undefined;
}

export function isCacheableQuery(value: unknown): value is CacheableQuery {
  return value instanceof BoundQuery || value instanceof SelectQueryBuilder;
}

export function compileQuery(query: CacheableQuery, source: DataSource): CompiledQuery {
  const bound = query instanceof BoundQuery ? query : undefined;
  // A plain builder belongs to its maker: it is left as it was.
  const builder = query instanceof BoundQuery ? query.build(source) : query.clone();
  const [sql, parameters] = builder.getQueryAndParameters() as [string, unknown[]];
  const map = builder.expressionMap;
  const isPaged = map.skip !== undefined || map.take !== undefined;
  // Two joins of one SQL text may be mapped to different properties, as one entity or as many.
  const joins = map.joinAttributes.map(({ mapToProperty, isMappingMany }) => [
    mapToProperty,
    isMappingMany,
  ]);
  const entity = map.mainAlias?.hasMetadata ? map.mainAlias.metadata.name : undefined;
  return {
    name: bound?.name ?? entity ?? 'query',
    sql,
    parameters,
    shape: bound?.shape ?? 'many',
    answer: `${JSON.stringify([entity, map.skip, map.take, joins])}${bound?.answer ?? ''}`,
    builder,
    bound,
    hasSeveralStatements: isPaged && map.joinAttributes.length > 0,
    // Protected in TypeORM's types; a builder of a transaction's manager carries its runner here.
    queryRunner: (builder as unknown as { queryRunner?: QueryRunner }).queryRunner,
    refusal: refusalOf(map),
  };
}

function refusalOf(
  map: SelectQueryBuilder<ObjectLiteral>['expressionMap'],
): UncacheableReason | undefined {
  // An optimistic lock is compared with the row by TypeORM, and is not in the SQL.
  if (map.lockMode !== undefined) return 'locking-read';
  const loadsSeparately =
    map.relationIdAttributes.length > 0 || map.relationLoadStrategy === 'query';
  return loadsSeparately ? 'separate-statements' : undefined;
}
