/**
 * Follows every statement TypeORM sends and drives `begin`, `end` and `abort` around COMMIT.
 *
 * The statements are the one source of truth: their text says what they write (memoised syntax
 * trees), their results say how far, and the server's own transaction status says whether they
 * run in a transaction. Entity events are not used: the old image they carry was read before the
 * row was locked, so another transaction may have moved the row in between. Where the old image
 * is needed it is read here, under the lock the statement itself is about to take.
 *
 * - A writing statement outside a transaction is given one, so that its mark is never older than
 *   its transaction and lies on the regions only around COMMIT.
 * - A statement that touched no row marks nothing.
 * - A statement that cannot run in a transaction is enclosed by `begin` and `end`. While it runs,
 *   its session holds an advisory lock by which it is recognised as a writer (writer-activity).
 * - What is kept belongs to the connection, not to the query runner: a runner released with an
 *   open transaction hands both on.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { QueryFailedError, type QueryRunner } from 'typeorm';
import { ENCLOSED_STATEMENT_LOCK, type DatabaseSchema } from '../query-cache/index.js';
import { ConnectionSession, type PostgresClient } from './connection-session.js';
import { outcomeOfAnswer, outcomeOfFailure, sqlStateOf } from './core/commit-outcome.js';
import type { Announcement, WriteProtocol } from './core/write-protocol.js';
import { versionNames, whatWasTouched } from './touched-tables.js';
import type { RunningStatement } from './connection-session.js';

export interface SentStatement {
  readonly queryRunner: QueryRunner;
  readonly query: string;
  readonly parameters?: unknown;
}

export interface AnsweredStatement extends SentStatement {
  readonly success: boolean;
  readonly rawResults?: unknown;
  readonly error?: unknown;
}

export class StatementWatcher {
  readonly #sessions = new WeakMap<object, ConnectionSession>();
  /** The session whose own transaction the present call belongs to. */
  readonly #holder = new AsyncLocalStorage<ConnectionSession>();

  constructor(
    private readonly schema: DatabaseSchema,
    private readonly protocol: WriteProtocol,
  ) {}

  async before({ queryRunner, query, parameters }: SentStatement): Promise<void> {
    const session = await this.#sessionOf(queryRunner);
    if (this.#holder.getStore() !== session) await session.available();
    await this.#refreshSchema(session);
    const analysis = this.schema.analyser.statement(query);
    if (analysis.kind === 'read') return;
    await session.refreshStatus();
    const wasInTransaction = session.isInTransaction;
    const statement = { sql: query, parameters, analysis, wasInTransaction };
    const enclosed =
      (analysis.kind === 'unknown' && !analysis.transactional) ||
      (analysis.kind === 'transaction' && analysis.command === 'other');
    if (enclosed) {
      session.start({ ...statement, announcement: await this.#enclose(session) });
    } else if (analysis.kind === 'transaction') {
      // In a failed transaction COMMIT rolls back.
      const commits =
        analysis.command === 'commit' && session.client.getTransactionStatus() === 'T';
      session.start({
        ...statement,
        announcement: commits ? await this.#announce(session) : undefined,
      });
    } else if (wasInTransaction) {
      session.start({ ...statement, probed: await this.#probe(session, statement) });
    } else {
      await this.#beginOwnTransaction(session, queryRunner, statement);
    }
  }

  async after(answered: AnsweredStatement): Promise<void> {
    const session = await this.#sessionOf(answered.queryRunner);
    if (!answered.success) session.isStatusOutdated = true;
    const statement = session.finish(answered.query, answered.parameters);
    if (!statement) return;
    if (statement.analysis.kind === 'transaction' && statement.analysis.command !== 'other') {
      this.#afterTransactionCommand(session, statement, answered);
    } else if (statement.announcement) {
      await this.#afterEnclosed(session, statement.announcement);
    } else {
      this.#record(session, statement, answered);
      if (statement.endOwnTransaction) await statement.endOwnTransaction(answered.success);
    }
  }

  async #sessionOf(queryRunner: QueryRunner): Promise<ConnectionSession> {
    const client = (await queryRunner.connect()) as PostgresClient;
    let session = this.#sessions.get(client);
    if (!session) {
      session = new ConnectionSession(client);
      this.#sessions.set(client, session);
    }
    return session;
  }

  /** After a change of the schema the catalogue is read over the connection at hand. */
  async #refreshSchema(session: ConnectionSession): Promise<void> {
    if (!this.schema.isOutdated || session.client.getTransactionStatus() === 'E') return;
    await this.schema.reload(async (sql, values) => (await session.client.query(sql, values)).rows);
  }

  async #announce(session: ConnectionSession): Promise<Announcement | undefined> {
    const touched = session.log.touched();
    if (touched !== 'anything' && touched.size === 0) return undefined;
    const pid = session.client.processID ?? 0;
    if (touched === 'anything') {
      return this.protocol.begin(session.hasChangedSchema ? 'schema' : touched, pid);
    }
    // Sent together, answered in this order: one round trip.
    const [announcement, isPresent] = await Promise.all([
      this.protocol.begin(versionNames(touched), pid),
      this.schema.isPresent(),
    ]);
    if (isPresent || announcement.isUncertain) return announcement;
    // The statements were understood by an old catalogue: they may have touched anything.
    this.protocol.abort(announcement);
    return this.protocol.begin('anything', pid);
  }

  async #enclose(session: ConnectionSession): Promise<Announcement> {
    const { client } = session;
    if (client.getTransactionStatus() !== 'E') {
      await client.query('SELECT pg_advisory_lock_shared($1, $2)', ENCLOSED_STATEMENT_LOCK);
    }
    try {
      return await this.protocol.begin('schema', client.processID ?? 0);
    } catch (error) {
      await this.#unlock(session);
      throw error;
    }
  }

  async #afterEnclosed(session: ConnectionSession, announcement: Announcement): Promise<void> {
    // Also after a failure: a part may have been committed before it.
    this.protocol.end(announcement);
    this.schema.markOutdated();
    await this.#unlock(session);
    if (session.isInTransaction) session.log.add('anything');
  }

  async #unlock(session: ConnectionSession): Promise<void> {
    const { client } = session;
    try {
      await session.refreshStatus();
      if (client.getTransactionStatus() === 'E') return;
      await client.query('SELECT pg_advisory_unlock_shared($1, $2)', ENCLOSED_STATEMENT_LOCK);
    } catch {
      // The connection is gone, and the lock with it.
    }
  }

  async #probe(
    session: ConnectionSession,
    { sql, parameters, analysis }: Pick<RunningStatement, 'sql' | 'parameters' | 'analysis'>,
  ): Promise<readonly Record<string, unknown>[] | undefined> {
    const probe = analysis.kind === 'write' ? analysis.writes[0]?.probe : undefined;
    if (!probe || session.client.getTransactionStatus() === 'E') return undefined;
    const values = Array.isArray(parameters) ? (parameters as unknown[]) : [];
    try {
      const wanted = probe.parameterIndexes.map((index) => values[index]);
      return (await session.client.query(probe.sql, wanted)).rows;
    } catch (error) {
      session.isStatusOutdated = true;
      throw new QueryFailedError(sql, values, error as Error);
    }
  }

  async #beginOwnTransaction(
    session: ConnectionSession,
    queryRunner: QueryRunner,
    statement: Pick<RunningStatement, 'sql' | 'parameters' | 'analysis' | 'wasInTransaction'>,
  ): Promise<void> {
    const release = await session.acquire();
    const within = <T>(work: () => Promise<T>): Promise<T> => this.#holder.run(session, work);
    const rollback = (): Promise<void> =>
      within(() => queryRunner.rollbackTransaction()).catch(() => undefined);
    try {
      await within(() => queryRunner.startTransaction());
      const probed = await this.#probe(session, statement).catch(async (error: unknown) => {
        await rollback();
        throw error;
      });
      session.start({
        ...statement,
        probed,
        endOwnTransaction: async (success) => {
          try {
            if (!success) return await rollback();
            await within(() => queryRunner.commitTransaction());
          } catch (error) {
            if (queryRunner.isTransactionActive) await rollback();
            throw error;
          } finally {
            release();
          }
        },
      });
    } catch (error) {
      release();
      throw error;
    }
  }

  #record(
    session: ConnectionSession,
    statement: RunningStatement,
    { success, rawResults, error }: AnsweredStatement,
  ): void {
    // A failure that the server did not report may have been carried out all the same.
    if (!success && sqlStateOf(error) !== undefined) return;
    const { analysis } = statement;
    if (analysis.kind === 'unknown' && analysis.changesSchema) {
      session.hasChangedSchema = true;
      this.schema.markOutdated();
    }
    const touched = success
      ? whatWasTouched(statement, rawResults, this.schema.catalogue)
      : (['anything'] as const);
    for (const part of touched) session.log.add(part);
    if (success && statement.wasInTransaction && !session.isInTransaction) {
      // Sent at the same time as the COMMIT of its transaction, and carried out after it.
      const all = session.log.touched();
      this.protocol.owe(all === 'anything' ? all : [...all.keys()]);
      session.log.clear();
    }
  }

  #afterTransactionCommand(
    session: ConnectionSession,
    { analysis, announcement }: RunningStatement,
    { success, rawResults, error }: AnsweredStatement,
  ): void {
    if (analysis.kind !== 'transaction') return;
    const { command, name = '' } = analysis;
    const endsTransaction = command === 'commit' || command === 'rollback';
    if (endsTransaction && session.hasChangedSchema) {
      // The catalogue may have been read inside the transaction, and what it held may be undone.
      session.hasChangedSchema = false;
      this.schema.markOutdated();
    }
    if (command === 'commit') {
      const answer = rawResults as { command?: string } | undefined;
      const outcome = success
        ? outcomeOfAnswer(answer?.command)
        : outcomeOfFailure(sqlStateOf(error));
      if (announcement) this.protocol.conclude(announcement, outcome);
      session.log.clear();
    } else if (success) {
      if (command === 'begin' || command === 'rollback') session.log.clear();
      if (command === 'savepoint') session.log.savepoint(name);
      if (command === 'release') session.log.release(name);
      if (command === 'rollback-to') session.log.rollbackTo(name);
    }
  }
}
