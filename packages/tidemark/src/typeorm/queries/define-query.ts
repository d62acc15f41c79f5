import { isDeepStrictEqual } from 'node:util';
import type { DataSource, ObjectLiteral, SelectQueryBuilder } from 'typeorm';
import { storableHeaders } from '../../core/response-headers.js';
import { Definition } from './query-definitions.js';
import { ownCopyOf } from './own-copy.js';

/**
 * How the rows become the answer: entities (`many`), the first entity or `null` (`one`), plain rows (`raw`), the number
 * of entities (`count`), or a page of entities and the number of all entities, from one snapshot (`many-and-count`).
 */
export type QueryShape = 'many' | 'one' | 'raw' | 'count' | 'many-and-count';

/** The answer of a query with this shape whose rows are mapped to `R`. */
export type QueryResult<R, S extends QueryShape> = S extends 'count'
  ? number
  : S extends 'one'
    ? R | null
    : S extends 'many-and-count'
      ? [rows: R[], count: number]
      : R[];

export interface QueryDefinition<P, E extends ObjectLiteral, R, S extends QueryShape> {
  /**
   * Unique among all instances that share a cache. It names the query in metrics. It is also part of the key: the key
   * contains only the source texts of `map` and `headers`, so their text alone does not identify the query.
   */
  readonly name: string;
  /** Default: `many`. */
  readonly shape?: S;
  /**
   * Any other input that the definition reads, such as the tenant in AsyncLocalStorage. `bind` calls it, and its value
   * is part of the key, so it must be plain data.
   */
  readonly context?: () => unknown;
  /** Builds the query from its parameters and the value of `context` only. */
  readonly build: (source: DataSource, parameters: P) => SelectQueryBuilder<E>;
  /** Maps one entity (for `raw`: one row) to an item of the answer; pure. */
  readonly map?: (row: E) => R;
  /**
   * Response headers computed from the rows of the answer, in ASCII, stored with it; pure. Allowed are `link`,
   * `content-language`, `content-location`, `content-range`, `accept-ranges`, `last-modified` and custom names that
   * begin with `x-`; with any other header the query is refused (ResponseHeaderError).
   */
  readonly headers?: (rows: readonly R[], parameters: P) => Readonly<Record<string, string>>;
  /** For `one`: the message of the 404 when there is no row; pure. */
  readonly absent?: (parameters: P) => string;
}

/** The value of `context` when the query was bound. */
export interface BoundContext {
  readonly value: unknown;
  /** @throws Error if the value has changed since. */
  require(): void;
}

/** A query with its parameters: handlers return it and `QueryCache.run` takes it. */
export class BoundQuery<R = unknown, S extends QueryShape = QueryShape> {
  /** Never set: it carries the type of a row. */
  declare readonly row?: R;

  readonly definition: Definition;
  readonly parameters: unknown;
  /** Whether they were copied completely when they were bound, so that no other code can change them. */
  readonly ownsParameters: boolean;
  readonly name: string;
  readonly shape: S;
  /** Everything that the definition adds to the SQL text, with functions as source text. */
  readonly answer: string;
  /** Inputs of `headers` and `build` beside the parameters of the SQL. */
  readonly values: readonly unknown[];
  readonly context: BoundContext | undefined;
  readonly build: (source: DataSource) => SelectQueryBuilder<ObjectLiteral>;
  readonly map: ((row: ObjectLiteral) => unknown) | undefined;
  readonly headers: (rows: readonly unknown[]) => Readonly<Record<string, string>>;
  readonly absent: (() => string) | undefined;

  constructor(parts: Omit<BoundQuery<R, S>, 'row' | 'withBuild' | 'toJSON'>) {
    Object.assign(this, parts);
  }

  /** The same query with another `build`. */
  withBuild(build: BoundQuery<R, S>['build']): BoundQuery<R, S> {
    const copy = Object.create(BoundQuery.prototype) as BoundQuery<R, S>;
    return Object.assign(copy, this, { build });
  }

  /** @throws TypeError always: clients get the answer of a query, never the query itself. */
  toJSON(): never {
    throw unansweredError(this.name);
  }
}

/** The error of a query that would be sent in place of its answer. */
export function unansweredError(query: string): TypeError {
  return new TypeError(
    `The query ${query} was not answered: put @CacheQuery() on the handler that returns it, ` +
      'or CacheInterceptor on its controller, or await QueryCache.run(query).',
  );
}

export interface DefinedQuery<P, R, S extends QueryShape> {
  readonly name: string;
  /**
   * Copies the parameters: the query keeps their current values, however often and whenever it runs. Functions, maps,
   * sets and instances of classes cannot be copied; they are read when the query runs, and such a query is compiled at
   * each run.
   */
  bind(parameters: P): BoundQuery<R, S>;
}

const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});

/**
 * Defines a query once, at the top level of a module. `build`, `map` and `headers` must read only their arguments, or
 * declare any other input as `context`: every caller with the same key gets the stored answer. A query that reads the
 * tenant of the request without declaring it leaks the rows of one tenant to another. An application does not start if
 * two definitions are ambiguous (query-definitions.ts).
 */
export function defineQuery<P, E extends ObjectLiteral, R = E, S extends QueryShape = 'many'>(
  definition: QueryDefinition<P, E, R, S>,
): DefinedQuery<P, R, S> {
  const { name, map, headers, absent } = definition;
  // In TypeORM 0.3, a builder of one entity is not assignable to a builder of any.
  const build: (source: DataSource, parameters: P) => unknown = definition.build;
  const shape = definition.shape ?? ('many' as S);
  const answer = JSON.stringify([name, shape, map?.toString(), headers?.toString()]);
  const identity = new Definition(name, map || headers ? answer : undefined);
  return {
    name,
    bind: (given) => {
      const context = definition.context && contextOf(name, definition.context);
      const { value: parameters, isWhole } = ownCopyOf(given);
      return new BoundQuery<R, S>({
        definition: identity,
        parameters,
        ownsParameters: isWhole,
        name,
        shape,
        answer,
        values: [...(headers ? [parameters] : []), ...(context ? [context.value] : [])],
        context,
        // A builder may change its arguments, and may be called more than once.
        build: (source) => {
          context?.require();
          return build(source, ownCopyOf(parameters).value) as SelectQueryBuilder<ObjectLiteral>;
        },
        map: map as ((row: ObjectLiteral) => unknown) | undefined,
        headers: (rows) =>
          headers ? storableHeaders(name, headers(rows as readonly R[], parameters)) : NO_HEADERS,
        absent: absent && (() => absent(parameters)),
      });
    },
  };
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
