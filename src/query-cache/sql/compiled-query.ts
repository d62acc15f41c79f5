/** Compiles a bound query or a TypeORM query builder to what its key and its plan are made of. */
import { SelectQueryBuilder, type DataSource, type ObjectLiteral, type QueryRunner } from 'typeorm';
import type { UncacheableReason } from '../core/statement-analysis.js';
import { BoundQuery, type QueryDefinition, type QueryShape } from '../define-query.js';

/** What handlers return and `QueryCache.run` takes. */
export type CacheableQuery<R = unknown> =
  BoundQuery<never, ObjectLiteral, R> | SelectQueryBuilder<ObjectLiteral>;

export interface CompiledQuery {
  readonly name: string;
  readonly sql: string;
  readonly parameters: readonly unknown[];
  readonly shape: QueryShape;
  /** Everything about the answer that the SQL text does not say. */
  readonly answer: string;
  readonly builder: SelectQueryBuilder<ObjectLiteral>;
  readonly definition: QueryDefinition<unknown, ObjectLiteral, unknown> | undefined;
  readonly definitionParameters: unknown;
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
  if (query instanceof BoundQuery) {
    const definition = query.definition as unknown as CompiledQuery['definition'] & object;
    const builder = definition.build(source, query.parameters);
    return compile(builder, definition, query.parameters);
  }
  // A builder belongs to its maker: it is left as it was.
  return compile(query.clone(), undefined, undefined);
}

function compile(
  builder: SelectQueryBuilder<ObjectLiteral>,
  definition: CompiledQuery['definition'],
  definitionParameters: unknown,
): CompiledQuery {
  const shape = definition?.shape ?? 'many';
  const [sql, parameters] = builder.getQueryAndParameters() as [string, unknown[]];
  const map = builder.expressionMap;
  const isPaged = map.skip !== undefined || map.take !== undefined;
  const pagesByTwoStatements = isPaged && map.joinAttributes.length > 0;
  const loadsSeparately =
    map.relationIdAttributes.length > 0 || map.relationLoadStrategy === 'query';
  const { queryRunner } = builder as unknown as { queryRunner?: QueryRunner };
  return {
    name: definition?.name ?? map.mainAlias?.tablePath ?? 'query',
    sql,
    parameters,
    shape,
    answer: JSON.stringify([
      definition?.name,
      shape,
      map.skip,
      map.take,
      map.mainAlias?.hasMetadata ? map.mainAlias.metadata.name : undefined,
      definition?.map?.toString(),
      definition?.headers?.toString(),
    ]),
    builder,
    definition,
    definitionParameters,
    hasSeveralStatements: pagesByTwoStatements,
    queryRunner,
    refusal: loadsSeparately ? 'separate-statements' : undefined,
  };
}
