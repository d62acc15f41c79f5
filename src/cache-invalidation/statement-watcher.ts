/**
 * Follows every statement TypeORM sends and drives `begin`, `end` and `abort` around COMMIT.
 *
 * The statements are the one source of truth: their text says what they write (memoised syntax
 * trees), their results say how far, and the server's own transaction status says whether they
 * run in a transaction. Entity events are not used: the old image they carry was read before the
 * row was locked, so another transaction may have moved the row in between. Where the old image
 * is needed it is read here, under the lock the statement itself is about to take.
 *
 * - A writing statement outside a transaction is given one (own-transaction.ts), so that its mark
 *   is never older than its transaction and lies on the regions only around COMMIT.
 * - A statement that touched no row marks nothing.
 * - A statement that cannot run in a transaction is enclosed by `begin` and `end`. While it runs,
 *   its session holds an advisory lock by which it is recognised as a writer (writer-activity).
 * - What is kept belongs to the connection, not to the query runner: a runner released with an
 *   open transaction hands both on.
 * - A transaction that was understood under a catalogue which is not the present one any more may
 *   have touched anything.
 */
import { QueryFailedError, type QueryRunner } from 'typeorm';
import { ENCLOSED_STATEMENT_LOCK, type DatabaseSchema } from '../query-cache/index.js';
import {
  ConnectionSession,
  type PostgresClient,
  type RunningStatement,
} from './connection-session.js';
import { outcomeOfAnswer, outcomeOfFailure, sqlStateOf } from './core/commit-outcome.js';
import type { Announcement, WriteProtocol } from './core/write-protocol.js';
import { WriteRefusedError } from './core/write-refused.error.js';
import { beginOwnTransaction } from './own-transaction.js';
import { mayChangeNames, understand } from './statement-understanding.js';
import { versionNames, whatWasTouched } from './touched-tables.js';

/** A statement not answered after this time is looked after when its query runner is gone. */
const LOOK_FOR_UNSENT_MS = 1_000;

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

  constructor(
    private readonly schema: DatabaseSchema,
    private readonly protocol: WriteProtocol,
  ) {}

  async before({ queryRunner, query, parameters }: SentStatement): Promise<void> {
    const session = await this.#sessionOf(queryRunner);
    const statement = session.arrive(queryRunner, query, parameters);
    try {
      await session.turnOf(statement);
      this.#refreshSchema();
      await understand(statement, session, this.schema);
      if (statement.analysis?.kind === 'read') return;
      await session.refreshStatus();
      statement.wasInTransaction = session.isInTransaction;
      await this.#prepare(session, statement);
      if (statement.abandon) {
        const look = setTimeout(() => void session.abandonUnsent(statement), LOOK_FOR_UNSENT_MS);
        void statement.left.then(() => clearTimeout(look));
        look.unref();
      }
    } catch (error) {
      session.leave(statement);
      throw error instanceof WriteRefusedError || error instanceof QueryFailedError
        ? error
        : new QueryFailedError(query, valuesOf(parameters), error as Error);
    }
  }

  async after(answered: AnsweredStatement): Promise<void> {
    const session = await this.#sessionOf(answered.queryRunner);
    if (!answered.success) session.expectNewStatus();
    const statement = session.find(answered.query, answered.parameters);
    if (!statement) return;
    statement.isAnswered = true;
    if (mayChangeNames(statement)) session.forgetNames();
    try {
      if (statement.analysis?.kind === 'read') return;
      if (isEnclosed(statement)) {
        await this.#afterEnclosed(session, statement);
      } else if (statement.analysis?.kind === 'transaction') {
        this.#afterTransactionCommand(session, statement, answered);
      } else {
        await this.#afterWrite(session, statement, answered);
      }
    } finally {
      session.leave(statement);
    }
  }

  async #afterWrite(
    session: ConnectionSession,
    statement: RunningStatement,
    answered: AnsweredStatement,
  ): Promise<void> {
    let isRecorded = false;
    try {
      this.#record(session, statement, answered);
      isRecorded = true;
    } finally {
      await statement.endOwnTransaction?.(answered.success && isRecorded);
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

  /**
   * After a change of the schema the catalogue is loaded anew, over another connection: this one
   * may have other settings. It is not waited for, since there may be no other connection; what is
   * understood by the old catalogue meanwhile is announced as a write to anything.
   */
  #refreshSchema(): void {
    if (this.schema.isOutdated) void this.schema.load().catch(() => undefined);
  }

  async #prepare(session: ConnectionSession, statement: RunningStatement): Promise<void> {
    const { analysis, wasInTransaction } = statement;
    if (isEnclosed(statement)) {
      statement.announcement = await this.#enclose(session);
      statement.abandon = () => this.#afterEnclosed(session, statement);
    } else if (analysis?.kind === 'transaction') {
      // In a failed transaction COMMIT rolls back.
      if (analysis.command === 'commit' && session.client.getTransactionStatus() === 'T') {
        statement.announcement = await this.#announce(session);
      }
    } else if (wasInTransaction) {
      session.understoodBy ??= statement.catalogue;
      await this.#probe(session, statement);
    } else {
      await beginOwnTransaction(session, statement, this.protocol, {
        probe: () => this.#probe(session, statement),
        announce: () => this.#announce(session),
      });
    }
  }

  async #announce(session: ConnectionSession): Promise<Announcement | undefined> {
    const pid = session.client.processID ?? 0;
    const touched = session.log.touched();
    if (touched !== 'anything' && touched.size === 0) return undefined;
    // What may have done anything may have done nothing: a SELECT, as a rule.
    if (touched === 'anything' && !(await session.hasWritten())) return undefined;
    if (session.hasChangedSchema) return this.protocol.begin('schema', pid);
    if (touched === 'anything' || session.understoodBy !== this.schema.catalogue) {
      return this.protocol.begin('anything', pid);
    }
    // Sent together: one round trip.
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
      const scope = session.isInTransaction ? 'xact_' : '';
      await client.query(`SELECT pg_advisory_${scope}lock_shared($1, $2)`, ENCLOSED_STATEMENT_LOCK);
    }
    try {
      return await this.protocol.begin('schema', client.processID ?? 0);
    } catch (error) {
      await this.#unlock(session);
      throw error;
    }
  }

  async #afterEnclosed(session: ConnectionSession, statement: RunningStatement): Promise<void> {
    // Also after a failure: a part may have been committed before it.
    if (statement.announcement) this.protocol.end(statement.announcement);
    this.schema.markOutdated();
    await session.refreshStatus().catch(() => undefined);
    if (session.isInTransaction) {
      session.log.add('anything');
      session.hasChangedSchema = true;
    } else {
      session.endTransaction();
    }
    if (!statement.wasInTransaction) await this.#unlock(session);
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

  async #probe(session: ConnectionSession, statement: RunningStatement): Promise<void> {
    const { sql, parameters, analysis } = statement;
    const write =
      analysis?.kind === 'write' ? analysis.writes.find(({ probe }) => probe) : undefined;
    const probe = write?.probe;
    if (!probe || session.client.getTransactionStatus() === 'E') return;
    const values = valuesOf(parameters);
    try {
      const wanted = probe.parameterIndexes.map((index) => values[index]);
      statement.probed = (await session.client.query(probe.sql, wanted)).rows;
    } catch (error) {
      session.expectNewStatus();
      throw new QueryFailedError(sql, values, error as Error);
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
    if (analysis?.kind === 'unknown' && analysis.changesSchema) {
      session.hasChangedSchema = true;
      this.schema.markOutdated();
    }
    const touched = success ? whatWasTouched(statement, rawResults) : (['anything'] as const);
    for (const part of touched) session.log.add(part);
    if (success && statement.wasInTransaction && !session.isInTransaction) {
      // Sent at the same time as the COMMIT of its transaction, and carried out after it.
      this.protocol.owe(session.log.tables());
      session.endTransaction();
    }
  }

  #afterTransactionCommand(
    session: ConnectionSession,
    { analysis, announcement, wasInTransaction }: RunningStatement,
    { success, rawResults, error }: AnsweredStatement,
  ): void {
    if (analysis?.kind !== 'transaction') return;
    const { command, name = '' } = analysis;
    if (command === 'commit') {
      const answer = rawResults as { command?: string } | undefined;
      const outcome = success
        ? outcomeOfAnswer(answer?.command)
        : outcomeOfFailure(sqlStateOf(error));
      if (announcement) this.protocol.conclude(announcement, outcome);
      this.#endTransaction(session);
    } else if (success) {
      // Inside a transaction BEGIN is only warned of.
      if (command === 'rollback' || (command === 'begin' && !wasInTransaction)) {
        this.#endTransaction(session);
      }
      if (command === 'savepoint') session.log.savepoint(name);
      if (command === 'release') session.log.release(name);
      if (command === 'rollback-to') {
        session.log.rollbackTo(name);
        session.restoreNames();
      }
    }
  }

  #endTransaction(session: ConnectionSession): void {
    // What was loaded since the statement was still the catalogue from before it.
    if (session.hasChangedSchema) this.schema.markOutdated();
    session.endTransaction();
  }
}

function valuesOf(parameters: unknown): unknown[] {
  return Array.isArray(parameters) ? parameters : [];
}

/** Whether the statement may commit by itself, so that `begin` and `end` lie around it. */
function isEnclosed({ analysis }: RunningStatement): boolean {
  return (
    (analysis?.kind === 'unknown' && !analysis.transactional) ||
    (analysis?.kind === 'transaction' && analysis.command === 'other')
  );
}
