/** Runs a compiled query against the primary database and shapes its rows into the answer. */
import { isDeepStrictEqual } from 'node:util';
import type { DataSource, ObjectLiteral, QueryRunner, SelectQueryBuilder } from 'typeorm';
import type { CompiledQuery } from './compiled-query.js';
import { directReadOf } from './direct-read.js';
import type { AuditRefusal, FillAudit, SentRead } from './fill-audit.js';
import { isConnectionLost, overAnotherConnection } from './lost-connection.js';
import type { MapCheck } from './map-check.js';
import { holdsPromise } from './promises.js';
import { SessionContext } from './session-context.js';
import type { StandbyWatch } from './standby-watch.js';
import { closeConnection, inTransaction, isInTransaction } from './transaction-end.js';

export interface ExecutedQuery {
  /** What is answered: mapped rows, one mapped row or `null`, a number, or rows and a number. */
  readonly value: unknown;
  readonly rowCount: number;
  readonly empty: boolean;
  readonly headers: Readonly<Record<string, string>>;
  /** Why the answer must not be stored, where that was found only by running the query. */
  readonly refusal: AuditRefusal | undefined;
}

interface Fetched {
  readonly rows: readonly ObjectLiteral[];
  readonly count: number | undefined;
}

export interface QueryExecutorParts {
  readonly source: DataSource;
  readonly maps: MapCheck;
  readonly standby: StandbyWatch;
  /** Called when the server has reloaded its configuration. */
  readonly onReconfigured: () => void;
}

export class QueryExecutor {
  readonly #sessions: SessionContext;

  constructor(private readonly parts: QueryExecutorParts) {
    this.#sessions = new SessionContext(parts.source, parts.onReconfigured, parts.standby);
  }

  /**
   * @param audit judges the statements that are sent; absent where nothing will be stored. With one, the query is
   *   proven to change nothing, and is run once more where its connection is lost.
   */
  async execute(query: CompiledQuery, audit?: FillAudit): Promise<ExecutedQuery> {
    // TypeORM's own result cache knows nothing of versions, and one transaction is enough.
    const builder = query.builder.cache(false).useTransaction(false);
    if (query.queryRunner) return shape(query, await fetchRows(query, builder), undefined);
    this.#sessions.watch();
    const execute = (): Promise<ExecutedQuery> => this.#execute(query, builder, audit);
    return audit ? overAnotherConnection(execute) : execute();
  }

  async #execute(
    query: CompiledQuery,
    builder: SelectQueryBuilder<ObjectLiteral>,
    audit: FillAudit | undefined,
  ): Promise<ExecutedQuery> {
    const runner = this.parts.source.createQueryRunner('master');
    let connection: unknown;
    try {
      connection = await runner.connect();
      if (audit) return await this.#fill(query, builder, runner, audit);
      builder.setQueryRunner(runner);
      const fetch = (): Promise<Fetched> => fetchRows(query, builder);
      const fetched = await (query.hasSeveralStatements ? inOneSnapshot(runner, fetch) : fetch());
      return shape(query, fetched, undefined);
    } catch (error) {
      // The pool would hand it out again first, until the server has closed it.
      if (connection && isConnectionLost(error)) closeConnection(connection);
      throw error;
    } finally {
      await runner.release();
    }
  }

  async #fill(
    query: CompiledQuery,
    builder: SelectQueryBuilder<ObjectLiteral>,
    runner: QueryRunner,
    audit: FillAudit,
  ): Promise<ExecutedQuery> {
    const connection = (await runner.connect()) as object;
    const unfit = await this.#sessions.refusalOf(connection, audit.session);
    // What TypeORM sends waits for whatever else is under way over the connection.
    const isFree = unfit === undefined && !Object.hasOwn(runner, 'query');
    const direct = isFree ? directReadOf(query, this.parts.source) : undefined;
    const rows = await direct?.(runner, connection);
    const { fetched, refusal } = rows
      ? { fetched: { rows, count: undefined }, refusal: undefined }
      : await fetchAudited(query, builder, runner, audit);
    const changed = await this.#sessions.refusalAfter(connection, audit.session);
    const shared = direct && !rows ? SHARED : undefined;
    return shape(query, fetched, unfit ?? changed ?? shared ?? refusal, this.parts.maps);
  }
}

const SHARED: AuditRefusal = {
  reason: 'transaction',
  detail: 'a transaction was under way over the connection',
};

async function fetchAudited(
  query: CompiledQuery,
  builder: SelectQueryBuilder<ObjectLiteral>,
  runner: QueryRunner,
  audit: FillAudit,
): Promise<{ fetched: Fetched; refusal: AuditRefusal | undefined }> {
  builder.setQueryRunner(runner);
  const statements: SentRead[] = [];
  const work = (): Promise<Fetched> =>
    recording(runner, statements, () => fetchRows(query, builder));
  const fetched = await (query.hasSeveralStatements ? inOneSnapshot(runner, work) : work());
  return { fetched, refusal: refusalOf(query, audit, statements) };
}

function refusalOf(
  { hasSeveralStatements, shape: wanted, sql, parameters }: CompiledQuery,
  audit: FillAudit,
  statements: readonly SentRead[],
): AuditRefusal | undefined {
  // What counts is another statement than the query's own, which TypeORM makes while it runs.
  if (hasSeveralStatements || wanted === 'count') return audit.refusalOf(statements);
  const [sent, ...others] = statements;
  const isOwn = sent?.sql === sql && isDeepStrictEqual(sent.parameters, parameters);
  if (isOwn && others.length === 0) return undefined;
  const detail = 'a statement was sent that nothing in the query tells of';
  return { reason: 'separate-statements', detail };
}

/** Notes what is sent over the query runner while `work` runs. */
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

const ONE_SNAPSHOT = 'START TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY';

async function inOneSnapshot<T>(runner: QueryRunner, work: () => Promise<T>): Promise<T> {
  // Left open by somebody: what is read in it is not stored, and it is not ours to end.
  if (isInTransaction(await runner.connect())) return work();
  return inTransaction(runner, ONE_SNAPSHOT, work);
}

async function fetchRows(
  { shape: wanted }: CompiledQuery,
  builder: SelectQueryBuilder<ObjectLiteral>,
): Promise<Fetched> {
  switch (wanted) {
    case 'raw':
      return { rows: await builder.getRawMany<ObjectLiteral>(), count: undefined };
    case 'count':
      return { rows: [], count: await builder.getCount() };
    case 'one': {
      const row = await builder.getOne();
      return { rows: row ? [row] : [], count: undefined };
    }
    case 'many':
      return { rows: await builder.getMany(), count: undefined };
    case 'many-and-count': {
      const [rows, count] = await builder.getManyAndCount();
      return { rows, count };
    }
  }
}

function shape(
  query: CompiledQuery,
  { rows, count }: Fetched,
  refusal: AuditRefusal | undefined,
  maps?: MapCheck,
): ExecutedQuery {
  const { bound, shape: wanted } = query;
  if (wanted === 'count') {
    return { value: count, rowCount: 1, empty: count === 0, headers: {}, refusal };
  }
  const map = bound?.map;
  const copies = maps?.copyOf(bound, rows);
  const mapped: readonly unknown[] = map ? rows.map((row) => map(row)) : rows;
  const headers = bound?.headers(mapped) ?? {};
  const answers = { one: mapped[0] ?? null, 'many-and-count': [mapped, count] };
  const value = wanted === 'one' || wanted === 'many-and-count' ? answers[wanted] : mapped;
  return {
    value,
    rowCount: rows.length,
    empty: rows.length === 0,
    headers,
    refusal:
      refusal ??
      (isHalf(query, value) ? HALF : undefined) ??
      (bound && copies && maps?.refusalOf(bound, copies, mapped, headers)),
  };
}

const HALF: AuditRefusal = {
  reason: 'lazy-relations',
  detail: 'the answer holds a relation that is still being loaded',
};

function isHalf({ hasLazyRelations }: CompiledQuery, value: unknown): boolean {
  return hasLazyRelations && holdsPromise(value);
}
