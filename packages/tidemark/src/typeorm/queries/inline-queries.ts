/**
 * Queries written where they are used, for handlers to return and `QueryCache.run` to take. Their key comes from the
 * compiled SQL alone; each call compiles them. Options and parameters are copied when the query is made.
 */
import type {
  EntityManager,
  EntityTarget,
  FindManyOptions,
  FindOneOptions,
  ObjectLiteral,
  SelectQueryBuilder,
} from 'typeorm';
import { copyOf } from './builder-copy.js';
import { BoundQuery, NO_HEADERS, type QueryResult, type QueryShape } from './bound-query.js';
import { findBuilder, nameOfTarget, type FindShape } from './find-builder.js';
import { ownCopyOf } from './own-copy.js';
import { sqlBuilder } from './sql-builder.js';

/** Options of a query without a definition. */
export interface InlineOptions {
  /** The name in events and metrics. Default: entity and method, such as `User.find`; `sql` for SQL text. */
  readonly name?: string;
  /** For handlers: the name of the data source whose cache answers the query. Default: the default data source. */
  readonly dataSource?: string;
  /**
   * The manager that the query runs with, such as that of an open transaction, whose queries run past the cache.
   * Default: that of the data source, which typeorm-transactional replaces inside a transaction.
   */
  readonly manager?: EntityManager;
}

/** Rows become items of the answer for each caller. */
export interface MappingOptions<Row, R> {
  /**
   * Maps one entity or row. It runs for each caller, on that caller's copy of the stored rows, so it may use variables
   * around it. The `map` of `defineQuery` runs once, and its result is stored: prefer it for HTTP, where answers of an
   * inline `map` are encoded for each request and have no entity tag.
   */
  readonly map?: (row: Row) => R;
}

/** As `EntityManager.find`. */
export function findQuery<E extends ObjectLiteral, R = E>(
  entity: EntityTarget<E>,
  options: FindManyOptions<E> = {},
  inline: InlineOptions & MappingOptions<E, R> = {},
): BoundQuery<R[]> {
  return found({ entity, options, inline, shape: 'many', method: 'find' });
}

/** As `EntityManager.findOne`. A handler that returns it answers 404 if there is no row. */
export function findOneQuery<E extends ObjectLiteral, R = E>(
  entity: EntityTarget<E>,
  options: FindOneOptions<E>,
  inline: InlineOptions & MappingOptions<E, R> = {},
): BoundQuery<R | null> {
  return found({ entity, options, inline, shape: 'one', method: 'findOne' });
}

/** As `EntityManager.findAndCount`, from one snapshot. */
export function findAndCountQuery<E extends ObjectLiteral, R = E>(
  entity: EntityTarget<E>,
  options: FindManyOptions<E> = {},
  inline: InlineOptions & MappingOptions<E, R> = {},
): BoundQuery<[rows: R[], count: number]> {
  return found({ entity, options, inline, shape: 'many-and-count', method: 'findAndCount' });
}

/** As `EntityManager.count`. */
export function countQuery<E extends ObjectLiteral>(
  entity: EntityTarget<E>,
  options: FindManyOptions<E> = {},
  inline: InlineOptions = {},
): BoundQuery<number> {
  return found({ entity, options, inline, shape: 'count', method: 'count' });
}

/** As `EntityManager.exists`. */
export function existsQuery<E extends ObjectLiteral>(
  entity: EntityTarget<E>,
  options: FindManyOptions<E> = {},
  inline: InlineOptions = {},
): BoundQuery<boolean> {
  return found({ entity, options, inline, shape: 'exists', method: 'exists' });
}

/**
 * The rows of one SELECT as text, with `$1`, `$2`, ... for its parameters. Running any other statement is an error: send
 * it with `DataSource.query`.
 */
export function sqlQuery<Row extends object = Record<string, unknown>, R = Row>(
  sql: string,
  parameters: readonly unknown[] = [],
  inline: InlineOptions & MappingOptions<Row, R> = {},
): BoundQuery<R[]> {
  const { value: own, isWhole } = ownCopyOf(parameters);
  return inlineQuery({
    name: inline.name ?? 'sql',
    dataSource: inline.dataSource,
    shape: 'raw',
    sql,
    ownsParameters: isWhole,
    build: (source) => sqlBuilder(inline.manager ?? source.manager, sql, own),
    map: inline.map,
  });
}

/** Options of `asQuery`. */
export interface BuilderOptions extends Pick<InlineOptions, 'name' | 'dataSource'> {
  /** Default: `many`, as a builder without this function has. */
  readonly shape?: QueryShape;
}

/**
 * A query of the builder as it is now, with another shape than `many`. For `raw`, name the type of a row:
 * `asQuery<Row>(builder, { shape: 'raw' })`.
 */
export function asQuery<Row extends object, R = Row>(
  builder: SelectQueryBuilder<ObjectLiteral>,
  options: BuilderOptions & MappingOptions<Row, R> & { readonly shape: 'raw' },
): BoundQuery<R[]>;
export function asQuery<E extends ObjectLiteral, R = E, S extends FindShape = 'many'>(
  builder: SelectQueryBuilder<E>,
  options?: BuilderOptions & MappingOptions<E, R> & { readonly shape?: S },
): BoundQuery<QueryResult<R, S>>;
export function asQuery(
  builder: SelectQueryBuilder<ObjectLiteral>,
  {
    name,
    dataSource,
    shape = 'many',
    map,
  }: BuilderOptions & MappingOptions<ObjectLiteral, unknown> = {},
): BoundQuery {
  const own = copyOf(builder);
  const { mainAlias } = own.expressionMap;
  const entity = mainAlias?.hasMetadata ? mainAlias.metadata.name : undefined;
  return inlineQuery({
    name: name ?? entity ?? 'query',
    dataSource,
    shape,
    sql: undefined,
    ownsParameters: true,
    build: () => copyOf(own),
    map,
  });
}

interface Found<E extends ObjectLiteral, R> {
  readonly entity: EntityTarget<E>;
  readonly options: FindManyOptions<E>;
  readonly inline: InlineOptions & MappingOptions<E, R>;
  readonly shape: FindShape;
  readonly method: string;
}

function found<E extends ObjectLiteral, R, A>({
  entity,
  options,
  inline: { name, dataSource, manager, map },
  shape,
  method,
}: Found<E, R>): BoundQuery<A> {
  const { value: own, isWhole } = ownCopyOf(options);
  return inlineQuery({
    name: name ?? `${nameOfTarget(entity)}.${method}`,
    dataSource,
    shape,
    sql: undefined,
    ownsParameters: isWhole,
    build: (source) => findBuilder(manager ?? source.manager, entity, ownCopyOf(own).value, shape),
    map,
  });
}

interface InlineParts<Row, R> extends Pick<
  BoundQuery,
  'name' | 'dataSource' | 'shape' | 'sql' | 'ownsParameters' | 'build'
> {
  readonly map: ((row: Row) => R) | undefined;
}

function inlineQuery<Row, R, A>({ map, ...parts }: InlineParts<Row, R>): BoundQuery<A> {
  return new BoundQuery<A>({
    ...parts,
    definition: undefined,
    parameters: undefined,
    keyText: parts.shape,
    values: [],
    context: undefined,
    map: undefined,
    answer: undefined,
    headers: () => NO_HEADERS,
    absent: undefined,
    forCaller: map && ((answer) => mapped(answer, parts.shape, map as (row: unknown) => R)),
  });
}

function mapped(answer: unknown, shape: QueryShape, map: (row: unknown) => unknown): unknown {
  const all = (rows: unknown): unknown[] => (rows as unknown[]).map((row) => map(row));
  if (shape === 'one') return answer === null ? null : map(answer);
  if (shape === 'many' || shape === 'raw') return all(answer);
  if (shape !== 'many-and-count') return answer;
  const [rows, count] = answer as [unknown[], number];
  return [all(rows), count];
}
