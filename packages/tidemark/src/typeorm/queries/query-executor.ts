/** Runs a compiled query against the primary database and shapes its rows into the answer. */
import { isDeepStrictEqual } from 'node:util';
import type { DataSource, ObjectLiteral, QueryRunner, SelectQueryBuilder } from 'typeorm';
import { NO_HEADERS } from './bound-query.js';
import type { CompiledQuery } from './compiled-query.js';
import { directReadOf } from './direct-read.js';
import type { Refusal } from '../../core/statement-analysis.js';
import type { FillAudit, SentRead } from './fill-audit.js';
import { isConnectionLost, overAnotherConnection } from '../database/lost-connection.js';
import type { MapCheck } from './map-check.js';
import type { PostgresClient } from '../../postgres/postgres-client.js';
import { SessionContext } from '../database/session-context.js';
import type { StandbyWatch } from '../database/standby-watch.js';
import { closeConnection, inTransaction, isInTransaction } from '../database/transaction-end.js';

export interface ExecutedQuery {
  /** The answer of the query. */
  readonly value: unknown;
  readonly rowCount: number;
  readonly empty: boolean;
  readonly headers: Readonly<Record<string, string>>;
  /** Why the answer must not be stored, if only running the query could show it. */
  readonly refusal: Refusal | undefined;
}

interface Fetched {
  readonly rows: readonly ObjectLiteral[];
  /** The number of entities, or whether there is one. */
  readonly found?: number | boolean;
}

/** The results of a definition's functions for the rows. */
interface Made {
  readonly value: unknown;
  readonly headers: Readonly<Record<string, string>>;
}

export interface QueryExecutorParts {
  readonly source: DataSource;
  readonly maps: MapCheck;
  readonly standby: StandbyWatch;
  /** Called when the server has reloaded its configuration. */
  readonly onReconfigured: () => void;
}

type Builder = SelectQueryBuilder<ObjectLiteral>;

const SHARED: Refusal = {
  reason: 'transaction',
  detail: 'a transaction was under way over the connection',
};
const OTHER_STATEMENTS: Refusal = {
  reason: 'separate-statements',
  detail: 'another statement was sent than that of the query',
};
const HALF: Refusal = {
  reason: 'lazy-relations',
  detail: 'the answer holds a relation that is still being loaded',
};
const ONE_SNAPSHOT = 'START TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY';

export class QueryExecutor {
  readonly #sessions: SessionContext;

  constructor(private readonly parts: QueryExecutorParts) {
    this.#sessions = new SessionContext(parts.source, parts.onReconfigured, parts.standby);
  }

  /**
   * @param audit checks the statements that are sent; absent if the answer will not be stored. With an audit, the query
   *   is proven to have no side effects, and is retried once if its connection is lost.
   */
  async execute(query: CompiledQuery, audit?: FillAudit): Promise<ExecutedQuery> {
    // TypeORM's result cache does not know versions, and one transaction is enough.
    const builder = query.builder.cache(false).useTransaction(false);
    if (query.queryRunner) return shape(query, await fetchRows(query, builder));
    this.#sessions.watch();
    const execute = (): Promise<ExecutedQuery> => this.#execute(query, builder, audit);
    return audit ? overAnotherConnection(execute) : execute();
  }

  async #execute(
    query: CompiledQuery,
    builder: Builder,
    audit: FillAudit | undefined,
  ): Promise<ExecutedQuery> {
    const runner = this.parts.source.createQueryRunner('master');
    let connection: PostgresClient | undefined;
    try {
      connection = (await runner.connect()) as PostgresClient;
      return await (audit
        ? this.#fill(query, builder, runner, audit)
        : shape(query, await fetchOver(runner, query, builder)));
    } catch (error) {
      // The pool would hand it out first, until the server has closed it.
      if (connection && isConnectionLost(error)) closeConnection(connection);
      throw error;
    } finally {
      await runner.release();
    }
  }

  async #fill(
    query: CompiledQuery,
    builder: Builder,
    runner: QueryRunner,
    audit: FillAudit,
  ): Promise<ExecutedQuery> {
    const connection = (await runner.connect()) as PostgresClient;
    const unfit = await this.#sessions.whyUncacheable(connection, audit.session);
    // Otherwise TypeORM sends the statements, which wait for others under way over the connection.
    const isFree = unfit === undefined && !Object.hasOwn(runner, 'query');
    const direct = isFree ? directReadOf(query, this.parts.source) : undefined;
    const rows = await direct?.(runner, connection);
    const sent: SentRead[] = [];
    const fetched = rows ? { rows } : await fetchOver(runner, query, builder, sent);
    const changed = await this.#sessions.refusalAfter(connection, audit.session);
    const shared = rows ? undefined : SHARED;
    const refusal =
      unfit ?? changed ?? (direct ? shared : whyUncacheable(query, audit, sent, fetched));
    return shape(query, fetched, refusal, this.parts.maps);
  }
}

/** Runs a query whose answer is not stored, over whatever its builder brings: tests may replace the builder by a stub. */
export async function executeBuilder(query: CompiledQuery): Promise<ExecutedQuery> {
  return shape(query, await fetchRows(query, query.builder));
}

function whyUncacheable(
  { hasSeveralStatements, shape: wanted, sql, parameters }: CompiledQuery,
  audit: FillAudit,
  statements: readonly SentRead[],
  { rows }: Fetched,
): Refusal | undefined {
  // TypeORM sends other statements than the query's own, and writes them while it runs.
  if (hasSeveralStatements || wanted === 'count' || wanted === 'exists') {
    return audit.whyUncacheable(statements, rows);
  }
  const [sent, ...others] = statements;
  const isOwn = sent?.sql === sql && isDeepStrictEqual(sent.parameters, parameters);
  return isOwn && others.length === 0 ? undefined : OTHER_STATEMENTS;
}

/** @param sent receives the statements that TypeORM sends for the query. */
async function fetchOver(
  runner: QueryRunner,
  query: CompiledQuery,
  builder: Builder,
  sent?: SentRead[],
): Promise<Fetched> {
  builder.setQueryRunner(runner);
  const fetch = (): Promise<Fetched> => fetchRows(query, builder);
  const work = sent ? (): Promise<Fetched> => recording(runner, sent, fetch) : fetch;
  if (!query.hasSeveralStatements) return work();
  // An answer read in a transaction that was left open is not stored, and the transaction is not ours to end.
  const isOpen = isInTransaction((await runner.connect()) as PostgresClient);
  return isOpen ? work() : inTransaction(runner, ONE_SNAPSHOT, work);
}

/** Records the statements that are sent over the query runner while `work` runs. */
async function recording<T>(
  runner: QueryRunner,
  statements: SentRead[],
  work: () => Promise<T>,
): Promise<T> {
  const send = runner.query.bind(runner);
  const noting = (...sent: Parameters<typeof send>): unknown => {
    const [sql, parameters] = sent as [string, unknown[]?];
    statements.push({ sql, parameters: parameters ?? [] });
    return send(...sent);
  };
  runner.query = noting as typeof send;
  try {
    return await work();
  } finally {
    runner.query = send;
  }
}

async function fetchRows({ shape: wanted }: CompiledQuery, builder: Builder): Promise<Fetched> {
  switch (wanted) {
    case 'raw':
      return { rows: await builder.getRawMany<ObjectLiteral>() };
    case 'count':
      return { rows: [], found: await builder.getCount() };
    case 'exists':
      return { rows: [], found: await builder.getExists() };
    case 'one': {
      const row = await builder.getOne();
      return { rows: row ? [row] : [] };
    }
    case 'many':
      return { rows: await builder.getMany() };
    case 'many-and-count': {
      const [rows, found] = await builder.getManyAndCount();
      return { rows, found };
    }
  }
}

function shape(
  query: CompiledQuery,
  fetched: Fetched,
  refusal?: Refusal,
  maps?: MapCheck,
): ExecutedQuery {
  const { bound, shape: wanted, separate } = query;
  const { rows, found } = fetched;
  const copies = maps?.copyOf(bound, rows);
  const made = make(query, fetched);
  const isNumber = wanted === 'count' || wanted === 'exists';
  return {
    ...made,
    rowCount: isNumber ? 1 : rows.length,
    empty: isNumber ? !found : rows.length === 0,
    refusal:
      refusal ??
      (separate.hasLazyRelations && holdsPromise(made.value) ? HALF : undefined) ??
      (bound &&
        copies &&
        maps?.whyUncacheable(bound, made, () => make(query, { ...fetched, rows: copies }))),
  };
}

function make({ bound, shape: wanted }: CompiledQuery, { rows, found }: Fetched): Made {
  const map = bound?.map;
  const mapped: readonly unknown[] = map ? rows.map((row) => map(row)) : rows;
  const value = {
    many: mapped,
    raw: mapped,
    one: mapped[0] ?? null,
    count: found,
    exists: found,
    'many-and-count': [mapped, found],
  }[wanted];
  const headers = bound?.headers(mapped) ?? NO_HEADERS;
  return { value: bound?.answer ? bound.answer(value) : value, headers };
}

/** Whether the value is a promise, or contains one at any depth. */
function holdsPromise(value: unknown): boolean {
  const seen = new Set<unknown>();
  const pending = [value];
  // The list grows during the loop.
  for (const item of pending) {
    if (typeof item !== 'object' || item === null || seen.has(item)) continue;
    seen.add(item);
    if (typeof (item as { then?: unknown }).then === 'function') return true;
    if (ArrayBuffer.isView(item)) continue;
    for (const below of Object.values(item) as unknown[]) pending.push(below);
  }
  return false;
}
