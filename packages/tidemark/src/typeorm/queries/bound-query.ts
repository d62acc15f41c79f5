import type { DataSource, ObjectLiteral, SelectQueryBuilder } from 'typeorm';
import type { Definition } from './query-definitions.js';

/**
 * How the rows become the answer: entities (`many`), the first entity or `null` (`one`), plain rows (`raw`), the number
 * of entities (`count`), whether there is one (`exists`), or a page of entities and the number of all entities, from
 * one snapshot (`many-and-count`).
 */
export type QueryShape = 'many' | 'one' | 'raw' | 'count' | 'exists' | 'many-and-count';

/** The answer of a query with this shape whose rows are mapped to `R`. */
export type QueryResult<R, S extends QueryShape> = S extends 'count'
  ? number
  : S extends 'exists'
    ? boolean
    : S extends 'one'
      ? R | null
      : S extends 'many-and-count'
        ? [rows: R[], count: number]
        : R[];

/** The value of `context` when the query was bound. */
export interface BoundContext {
  readonly value: unknown;
  /** @throws Error if the value has changed since. */
  require(): void;
}

/** A query with its parameters: handlers return it and `QueryCache.run` takes it. */
export class BoundQuery<A = unknown> {
  /** Never set: it carries the type of the answer. */
  declare readonly result?: A;

  /** `undefined`: the query was written where it is used, and has no functions whose results are stored. */
  readonly definition: Definition | undefined;
  readonly parameters: unknown;
  /** Whether they were copied completely when they were bound, so that no other code can change them. */
  readonly ownsParameters: boolean;
  readonly name: string;
  /** The name of its data source; `undefined`: the default one, or for an inline query that of the cache that runs it. */
  readonly dataSource: string | undefined;
  readonly shape: QueryShape;
  /** The text of a query in SQL. */
  readonly sql: string | undefined;
  /** Everything that the definition adds to the SQL text, with functions as source text. */
  readonly keyText: string;
  /** Inputs of `headers` and `build` beside the parameters of the SQL. */
  readonly values: readonly unknown[];
  readonly context: BoundContext | undefined;
  readonly build: (source: DataSource) => SelectQueryBuilder<ObjectLiteral>;
  readonly map: ((row: ObjectLiteral) => unknown) | undefined;
  readonly answer: ((answer: unknown) => unknown) | undefined;
  readonly headers: (rows: readonly unknown[]) => Readonly<Record<string, string>>;
  readonly absent: (() => string) | undefined;
  /** Maps the stored answer for one caller; its result is never stored. */
  readonly forCaller: ((answer: unknown) => unknown) | undefined;

  constructor(parts: Omit<BoundQuery<A>, 'result' | 'withBuild' | 'toJSON'>) {
    Object.assign(this, parts);
  }

  /** The same query with another `build`. */
  withBuild(build: BoundQuery['build']): BoundQuery<A> {
    const copy = Object.create(BoundQuery.prototype) as BoundQuery<A>;
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

/**
 * The return type of a handler whose query the cache answers with `A`, for the handler and for interfaces of its
 * controller.
 */
export type CachedAnswer<A> =
  | BoundQuery<A>
  | (A extends readonly (infer E extends ObjectLiteral)[] ? SelectQueryBuilder<E> : never);

/** The answer that clients get for what a handler returns, in a promise or not. */
export type Answered<Returned> =
  Returned extends PromiseLike<infer Value>
    ? Answered<Value>
    : Returned extends BoundQuery<infer A>
      ? A
      : Returned extends SelectQueryBuilder<infer E>
        ? E[]
        : Returned;

export const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});
