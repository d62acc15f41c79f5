import type { DataSource, ObjectLiteral, SelectQueryBuilder } from 'typeorm';

/**
 * How the rows become the answer: entities (`many`), the first entity or nothing (`one`), plain
 * rows (`raw`), or the number of entities (`count`).
 */
export type QueryShape = 'many' | 'one' | 'raw' | 'count';

export interface QueryDefinition<P, E extends ObjectLiteral, R> {
  /** Unique, for people: it names the query in metrics. */
  readonly name: string;
  /** `many` unless said otherwise. */
  readonly shape?: QueryShape;
  /** Builds the query from nothing but its parameters. */
  readonly build: (source: DataSource, parameters: P) => SelectQueryBuilder<E>;
  /** Turns one entity (for `raw`: one row) into what is answered; pure. */
  readonly map?: (row: E) => R;
  /** Response headers told from the answer, stored with it; pure. */
  readonly headers?: (rows: readonly R[], parameters: P) => Readonly<Record<string, string>>;
  /** For `one`: what the 404 says when there is no row; pure. */
  readonly absent?: (parameters: P) => string;
}

/** A query with its parameters: what a handler returns and what `QueryCache.run` takes. */
export class BoundQuery<P = unknown, E extends ObjectLiteral = ObjectLiteral, R = unknown> {
  constructor(
    readonly definition: QueryDefinition<P, E, R>,
    readonly parameters: P,
  ) {}
}

export interface DefinedQuery<P, E extends ObjectLiteral, R> {
  readonly definition: QueryDefinition<P, E, R>;
  bind(parameters: P): BoundQuery<P, E, R>;
}

/** Defines a query once. Its builder must be pure in its parameters, so that its key can be. */
export function defineQuery<P, E extends ObjectLiteral, R = E>(
  definition: QueryDefinition<P, E, R>,
): DefinedQuery<P, E, R> {
  return { definition, bind: (parameters) => new BoundQuery(definition, parameters) };
}
