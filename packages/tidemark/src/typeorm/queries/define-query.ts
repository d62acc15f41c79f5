import { isDeepStrictEqual } from 'node:util';
import type {
  DataSource,
  EntityTarget,
  FindManyOptions,
  ObjectLiteral,
  SelectQueryBuilder,
} from 'typeorm';
import { storableHeaders } from '../../core/response-headers.js';
import {
  BoundQuery,
  NO_HEADERS,
  type BoundContext,
  type QueryResult,
  type QueryShape,
} from './bound-query.js';
import { findBuilder, type FindShape } from './find-builder.js';
import { Definition } from './query-definitions.js';
import { ownCopyOf } from './own-copy.js';
import { sqlBuilder } from './sql-builder.js';

/** The shared part of definitions: rows of `Row` are mapped to `R`, and make an answer of `A`. */
interface CommonDefinition<P, Row, R, S extends QueryShape, A> {
  /**
   * Unique among all instances that share a cache. It names the query in metrics. It is also part of the key: the key
   * contains only the source texts of `map`, `answer` and `headers`, so their text alone does not identify the query.
   */
  readonly name: string;
  /** The name of the data source whose cache answers it. Default: the default data source. */
  readonly dataSource?: string;
  /**
   * Any other input that the definition reads, such as the tenant in AsyncLocalStorage. `bind` calls it, and its value
   * is part of the key, so it must be plain data.
   */
  readonly context?: () => unknown;
  /** Maps one entity (for `raw`: one row) to an item of the answer; pure. Its result is stored. */
  readonly map?: (row: Row) => R;
  /**
   * Maps the whole answer, after `map`: a list, for `one` an item or `null`, for `count` a number, for `exists` a
   * boolean, for `many-and-count` a list and a number; pure. Its result is stored.
   */
  readonly answer?: (answer: QueryResult<R, S>) => A;
  /**
   * Response headers computed from the rows of the answer, in ASCII, stored with it; pure. Allowed are `link`,
   * `content-disposition`, `content-language`, `content-location`, `content-range`, `accept-ranges`, `last-modified` and custom names that
   * begin with `x-`; with any other header the query is refused (ResponseHeaderError).
   */
  readonly headers?: (rows: readonly R[], parameters: P) => Readonly<Record<string, string>>;
  /** For `one`: the message of the 404 when there is no row; pure. */
  readonly absent?: (parameters: P) => string;
}

/** A query that a TypeORM builder makes. */
export interface QueryDefinition<
  P,
  E extends ObjectLiteral,
  R,
  S extends QueryShape,
  A,
> extends CommonDefinition<P, E, R, S, A> {
  /** Default: `many`. */
  readonly shape?: S;
  /** Builds the query from its parameters and the value of `context` only. */
  readonly build: (source: DataSource, parameters: P) => SelectQueryBuilder<E>;
}

/** A query of find options, compiled as the methods of TypeORM's `EntityManager` compile them. */
export interface FindDefinition<
  P,
  E extends ObjectLiteral,
  R,
  S extends FindShape,
  A,
> extends CommonDefinition<P, E, R, S, A> {
  /** As for `EntityManager`: `find` (`many`, the default), `findOne`, `count`, `findAndCount`, `exists`. */
  readonly shape?: S;
  readonly entity: EntityTarget<E>;
  /** Makes the find options from the parameters and the value of `context` only. */
  readonly find: (parameters: P) => FindManyOptions<NoInfer<E>>;
}

/** A query of SQL text: one SELECT, whose rows are the answer. */
export interface SqlDefinition<P, Row extends object, R, A> extends CommonDefinition<
  P,
  Row,
  R,
  'raw',
  A
> {
  /** With `$1`, `$2`, ... for its parameters. */
  readonly sql: string;
  /** Makes the parameters of the text from those of the query and the value of `context` only. */
  readonly parameters?: (parameters: P) => readonly unknown[];
}

/** A query of parameters `P` whose answer is `A`; `bind()` if it has no parameters. */
export interface DefinedQuery<P, A> {
  readonly name: string;
  /**
   * Copies the parameters: the query keeps their current values, however often and whenever it runs. Functions, maps,
   * sets and instances of classes cannot be copied; they are read when the query runs, and such a query is compiled at
   * each run.
   */
  bind(parameters: P): BoundQuery<A>;
}

// Find options come first: TypeScript widens their literals, such as 'ASC', once another overload has been tried.
/**
 * Defines a query once, at the top level of a module. `build`, `find`, `parameters`, `map`, `answer` and `headers` must
 * read only their arguments, or declare any other input as `context`: every caller with the same key gets the stored
 * answer. A query that reads the tenant of the request without declaring it leaks the rows of one tenant to another. An
 * application does not start if two definitions are ambiguous (query-definitions.ts).
 */
export function defineQuery<
  P = void,
  E extends ObjectLiteral = ObjectLiteral,
  R = E,
  S extends FindShape = 'many',
  A = QueryResult<R, S>,
>(definition: FindDefinition<P, E, R, S, A>): DefinedQuery<P, A>;
export function defineQuery<
  P = void,
  Row extends object = Record<string, unknown>,
  R = Row,
  A = R[],
>(definition: SqlDefinition<P, Row, R, A>): DefinedQuery<P, A>;
export function defineQuery<
  P = void,
  E extends ObjectLiteral = ObjectLiteral,
  R = E,
  S extends QueryShape = 'many',
  A = QueryResult<R, S>,
>(definition: QueryDefinition<P, E, R, S, A>): DefinedQuery<P, A>;
export function defineQuery(definition: AnyDefinition): DefinedQuery<unknown, unknown> {
  const { name, dataSource, map, answer, headers, absent } = definition;
  const sql = 'sql' in definition ? definition.sql : undefined;
  const shape = 'sql' in definition ? 'raw' : (definition.shape ?? 'many');
  const build = buildOf(definition);
  const keyText = JSON.stringify([
    name,
    shape,
    map?.toString(),
    headers?.toString(),
    answer?.toString(),
    dataSource,
  ]);
  const identity = new Definition(name, map || headers || answer ? keyText : undefined);
  return {
    name,
    bind: (given) => {
      const context = definition.context && contextOf(name, definition.context);
      const { value: parameters, isWhole } = ownCopyOf(given);
      return new BoundQuery({
        definition: identity,
        parameters,
        ownsParameters: isWhole,
        name,
        dataSource,
        shape,
        sql,
        keyText,
        values: [...(headers ? [parameters] : []), ...(context ? [context.value] : [])],
        context,
        // A builder may change its arguments, and may be called more than once.
        build: (source) => {
          context?.require();
          return build(source, ownCopyOf(parameters).value);
        },
        map,
        answer: answer as ((answer: unknown) => unknown) | undefined,
        headers: (rows) =>
          headers ? storableHeaders(name, headers(rows, parameters)) : NO_HEADERS,
        absent: absent && (() => absent(parameters)),
        forCaller: undefined,
      });
    },
  };
}

type AnyDefinition =
  | QueryDefinition<unknown, ObjectLiteral, unknown, QueryShape, unknown>
  | FindDefinition<unknown, ObjectLiteral, unknown, FindShape, unknown>
  | SqlDefinition<unknown, object, unknown, unknown>;

function buildOf(
  definition: AnyDefinition,
): (source: DataSource, parameters: unknown) => SelectQueryBuilder<ObjectLiteral> {
  if ('build' in definition) return definition.build;
  if ('sql' in definition) {
    const { sql, parameters } = definition;
    return ({ manager }, given) => sqlBuilder(manager, sql, parameters?.(given) ?? []);
  }
  const { entity, find, shape = 'many' } = definition;
  return ({ manager }, given) => findBuilder(manager, entity, find(given), shape);
}

function contextOf(name: string, context: () => unknown): BoundContext {
  const { value, isWhole } = ownCopyOf(context());
  if (!isWhole) {
    throw new TypeError(
      `\`context\` of the query ${name} must give plain data, not a promise, a function or an instance of a class.`,
    );
  }
  return {
    value,
    require: () => {
      if (isDeepStrictEqual(context(), value)) return;
      throw new Error(
        `The query ${name} runs in another context than it was bound in: bind it where it is run.`,
      );
    },
  };
}
