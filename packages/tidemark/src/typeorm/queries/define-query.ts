import { isDeepStrictEqual } from 'node:util';
import type { DataSource, ObjectLiteral, SelectQueryBuilder } from 'typeorm';
import { storableHeaders } from '../../core/response-headers.js';
import { Definition } from './query-definitions.js';
import { ownCopyOf } from './own-copy.js';

/**
 * How the rows become the answer: entities (`many`), the first entity or `null` (`one`), plain
 * rows (`raw`), the number of entities (`count`), or a page of entities and the number of all of
 * them, of one moment (`many-and-count`).
 */
export type QueryShape = 'many' | 'one' | 'raw' | 'count' | 'many-and-count';

/** What a query of the shape answers when one of its rows is mapped to `R`. */
export type QueryResult<R, S extends QueryShape> = S extends 'count'
  ? number
  : S extends 'one'
    ? R | null
    : S extends 'many-and-count'
      ? [rows: R[], count: number]
      : R[];

export interface QueryDefinition<P, E extends ObjectLiteral, R, S extends QueryShape> {
  /**
   * Unique among all instances that share a cache. It names the query in metrics, and it is part of the key, since
   * `map` and `headers` are known there by their texts alone.
   */
  readonly name: string;
  /** `many` unless said otherwise. */
  readonly shape?: S;
  /**
   * Whatever else the definition reads, such as the tenant in AsyncLocalStorage. It is called by `bind`, and its
   * value is part of the key, so it has to be plain data.
   */
  readonly context?: () => unknown;
  /** Builds the query from nothing but its parameters and what `context` tells. */
  readonly build: (source: DataSource, parameters: P) => SelectQueryBuilder<E>;
  /** Turns one entity (for `raw`: one row) into what is answered; pure. */
  readonly map?: (row: E) => R;
  /**
   * Response headers told from the answer's rows, ASCII, stored with it; pure. `link`, `content-language`,
   * `content-location`, `content-range`, `accept-ranges`, `last-modified` and own names that begin with `x-`;
   * for any other one the query is refused (ResponseHeaderError).
   */
  readonly headers?: (rows: readonly R[], parameters: P) => Readonly<Record<string, string>>;
  /** For `one`: what the 404 says when there is no row; pure. */
  readonly absent?: (parameters: P) => string;
}

/** The value of `context` when the query was bound. */
export interface BoundContext {
  readonly value: unknown;
  /** @throws Error where it is another one now. */
  require(): void;
}

/** A query with its parameters: what a handler returns and what `QueryCache.run` takes. */
export class BoundQuery<R = unknown, S extends QueryShape = QueryShape> {
  /** Never set: it carries the type of a row. */
  declare readonly row?: R;

  readonly definition: Definition;
  readonly parameters: unknown;
  /** Whether they were copied as a whole when they were bound, so that nobody else can change them. */
  readonly ownsParameters: boolean;
  readonly name: string;
  readonly shape: S;
  /** Everything that the definition adds to the SQL text, with code by its text. */
  readonly answer: string;
  /** What `headers` and `build` read beside the parameters of the SQL. */
  readonly values: readonly unknown[];
  readonly context: BoundContext | undefined;
  readonly build: (source: DataSource) => SelectQueryBuilder<ObjectLiteral>;
  readonly map: ((row: ObjectLiteral) => unknown) | undefined;
  readonly headers: (rows: readonly unknown[]) => Readonly<Record<string, string>>;
  readonly absent: (() => string) | undefined;

  constructor(parts: Omit<BoundQuery<R, S>, 'row' | 'withBuild' | 'toJSON'>) {
    Object.assign(this, parts);
  }

  /** The same query, built in another way. */
  withBuild(build: BoundQuery<R, S>['build']): BoundQuery<R, S> {
    const copy = Object.create(BoundQuery.prototype) as BoundQuery<R, S>;
    return Object.assign(copy, this, { build });
  }

  /** @throws TypeError always: what is sent to a client is a query's answer, not the query. */
  toJSON(): never {
    throw new TypeError(
      `The query ${this.name} was not answered: put @CacheQuery() on the handler that returns it, ` +
        'or CacheInterceptor on its controller, or await QueryCache.run(query).',
    );
  }
}

export interface DefinedQuery<P, R, S extends QueryShape> {
  readonly name: string;
  /**
   * Copies the parameters: the query is that of their values now, however often and whenever it runs. Functions, maps,
   * sets and instances of classes cannot be copied; they are read when the query runs, which is compiled each time.
   */
  bind(parameters: P): BoundQuery<R, S>;
}

const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});

/**
 * Defines a query once, at the top level of a module. `build`, `map` and `headers` must read nothing but their
 * arguments, or declare what else they read as `context`: a stored answer is given to whoever asks with the same
 * key. One that reads the tenant of the request undeclared leaks the rows of one tenant to another. An application
 * does not start where two definitions cannot be told apart (query-definitions.ts).
 */
export function defineQuery<P, E extends ObjectLiteral, R = E, S extends QueryShape = 'many'>(
  definition: QueryDefinition<P, E, R, S>,
): DefinedQuery<P, R, S> {
  const { name, build, map, headers, absent } = definition;
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
        // A builder may change what it is given, and may be asked more than once.
        build: (source) => {
          context?.require();
          return build(source, ownCopyOf(parameters).value);
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
