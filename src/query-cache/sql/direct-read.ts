/**
 * Sends a fill's statement over its connection, past what TypeORM does besides: it compiles the query once
 * more, tells subscribers, and hydrates slowly (entity-hydration.ts).
 */
import {
  QueryFailedError,
  SelectQueryBuilder,
  type DataSource,
  type EntitySubscriberInterface,
  type ObjectLiteral,
  type QueryRunner,
} from 'typeorm';
import type { CompiledQuery } from './compiled-query.js';
import { hydrationOf, type Hydrate } from './entity-hydration.js';

/**
 * A subscriber that has this hears of statements only to follow what they write. The statements of fills
 * are proven to write nothing, and it is not told of them.
 */
export const FOLLOWS_WRITES_ALONE = Symbol('tidemark:follows-writes-alone');

const RUNNERS = ['getMany', 'getOne', 'getRawMany', 'getRawAndEntities'] as const;

export interface DirectRead {
  /**
   * The rows; `undefined` where the connection is in a transaction, whose writes they may show: a statement
   * that was sent over it before is still under way.
   *
   * @throws QueryFailedError
   */
  fetch(runner: QueryRunner, client: unknown): Promise<readonly ObjectLiteral[] | undefined>;
}

/** The part of a node-postgres client that is used here. */
interface Client {
  query(config: Statement): Promise<Result>;
  /** As the server said with its last answer. */
  getTransactionStatus(): string | null;
}

interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
  readonly rowMode?: 'array';
}

interface Result {
  readonly rows: readonly unknown[];
  readonly fields: readonly { readonly name: string }[];
}

/** `undefined` where TypeORM has more to do than to send the query's SQL and to make entities of its rows. */
export function directReadOf(
  { sql, parameters, shape, builder, hasSeveralStatements }: CompiledQuery,
  source: DataSource,
): DirectRead | undefined {
  const isMore = hasSeveralStatements || source.options.maxQueryExecutionTime;
  if (isMore || !isOrdinary(builder) || source.subscribers.some(hearsOfReads)) return undefined;
  const hydrate = shape === 'raw' ? undefined : hydrationOf(builder, source);
  if (shape !== 'raw' && (!hydrate || (shape !== 'many' && shape !== 'one'))) return undefined;
  const rowMode = hydrate ? ({ rowMode: 'array' } as const) : {};
  const statement: Statement = { text: sql, values: parameters, ...rowMode };
  return {
    fetch: async (runner, connection) => {
      const client = connection as Client;
      let result: Result;
      source.logger.logQuery(sql, [...parameters], runner);
      try {
        result = await client.query(statement);
      } catch (error) {
        source.logger.logQueryError(error as Error, sql, [...parameters], runner);
        throw new QueryFailedError(sql, [...parameters], error as Error);
      }
      if (client.getTransactionStatus() !== 'I') return undefined;
      const rows = rowsOf(result, hydrate);
      return shape === 'one' ? rows.slice(0, 1) : rows;
    },
  };
}

function hearsOfReads(subscriber: EntitySubscriberInterface): boolean {
  const hears = 'beforeQuery' in subscriber || 'afterQuery' in subscriber;
  return hears && !(FOLLOWS_WRITES_ALONE in subscriber);
}

/** Whether the builder runs its query as TypeORM wrote it. */
function isOrdinary(builder: SelectQueryBuilder<ObjectLiteral>): boolean {
  const ordinary = SelectQueryBuilder.prototype;
  return RUNNERS.every((name) => builder[name] === ordinary[name]);
}

function rowsOf({ rows, fields }: Result, hydrate: Hydrate | undefined): readonly ObjectLiteral[] {
  if (!hydrate) return rows as readonly ObjectLiteral[];
  const names = fields.map(({ name }) => name);
  return hydrate(names, rows as readonly (readonly unknown[])[]);
}
