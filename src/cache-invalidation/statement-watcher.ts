/**
 * Follows every statement TypeORM sends and drives `begin`, `end` and `abort` around COMMIT.
 *
 * The text of a statement says whether it may write (memoised syntax trees), the notices of the triggers
 * say what was written, the answer is held against them (touched-tables.ts), and the server's own transaction
 * status says whether it runs in a transaction. Entity events are not used: the old image they carry was read
 * before the row was locked, so another transaction may have moved the row in between.
 *
 * - A writing statement outside a transaction is given one (own-transaction.ts), so that its mark
 *   is never older than its transaction and lies on the regions only around COMMIT.
 * - A statement that touched no row marks nothing.
 * - A statement that cannot run in a transaction is enclosed by `begin` and `end`
 *   (enclosed-statement.ts).
 * - Statements of one connection keep their order (statement-turns.ts).
 * - What is kept belongs to the connection, not to the query runner: a runner released with an
 *   open transaction hands both on.
 * - A transaction that was understood under a catalogue which is not the present one any more may
 *   have touched anything.
 */
import { QueryFailedError, type QueryRunner } from 'typeorm';
import type { DatabaseSchema, OpenTransactions } from '../query-cache/index.js';
import { sqlStateOf } from '../query-cache/core/sql-state.js';
import { announce } from './announcing.js';
import type { ConnectionSession } from './connection-session.js';
import { ConnectionSessions } from './connection-sessions.js';
import { outcomeOfAnswer, outcomeOfFailure } from './core/commit-outcome.js';
import type { WriteProtocol } from './core/write-protocol.js';
import { WriteRefusedError } from './core/write-refused.error.js';
import { disclose, enclose, isEnclosed, leaveOpen } from './enclosed-statement.js';
import type { OutboxWriter } from './outbox/outbox-writer.js';
import { noticedWrites, type PostgresNotice } from './outbox/trigger-notice.js';
import type { TriggerTrust } from './outbox/trigger-trust.js';
import { beginOwnTransaction } from './own-transaction.js';
import type { RunningStatement } from './running-statement.js';
import { mayChangeNames, understand } from './statement-understanding.js';
import { effectOf, fileEffect } from './touched-tables.js';

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
  readonly #sessions: ConnectionSessions;

  constructor(
    readonly schema: DatabaseSchema,
    readonly protocol: WriteProtocol,
    readonly outbox: OutboxWriter,
    readonly trust: TriggerTrust,
    transactions: OpenTransactions,
    opening: readonly string[],
  ) {
    this.#sessions = new ConnectionSessions(opening, (session) => {
      session.client.on('notice', (notice) => this.#noticed(session, notice));
      if (session.client.connection) session.introduce(this.outbox);
    });
    transactions.follow(() => this.#sessions.hasTransaction);
  }

  async before({ queryRunner, query, parameters }: SentStatement): Promise<void> {
    const session = await this.#sessions.of(queryRunner);
    const { turns } = session;
    // Where it fails the statement will; where it was undone its writes are told twice.
    await session.introduced;
    session.introduced = undefined;
    const statement = turns.arrive(queryRunner, query, parameters);
    try {
      await turns.turnOf(statement);
      await session.unlock();
      this.#refreshSchema();
      await understand(statement, session, this.schema);
      if (statement.analysis?.kind !== 'read') {
        await session.refreshStatus();
        statement.wasInTransaction = session.isInTransaction;
        await this.#prepare(session, statement);
      }
      if (statement.preparation) {
        const look = setTimeout(() => void turns.abandonUnsent(statement), LOOK_FOR_UNSENT_MS);
        void statement.left.then(() => clearTimeout(look));
        look.unref();
      }
    } catch (error) {
      turns.leave(statement);
      this.#closeUnended(session, statement, error);
      throw error instanceof WriteRefusedError || error instanceof QueryFailedError
        ? error
        : new QueryFailedError(query, Array.isArray(parameters) ? parameters : [], error as Error);
    }
    statement.becomeReady();
  }

  async after(answered: AnsweredStatement): Promise<void> {
    const session = await this.#sessions.of(answered.queryRunner);
    if (!answered.success) session.expectNewStatus();
    const statement = session.turns.find(answered.query, answered.parameters);
    if (!statement) return this.#afterUnknown(session, answered);
    statement.isAnswered = true;
    if (mayChangeNames(statement)) session.forgetNames();
    // Among them are DISCARD and RESET, which take the setting of the triggers away.
    if (mayChangeNames(statement) && statement.analysis?.kind === 'read') {
      session.introduce(this.outbox);
    }
    try {
      if (statement.analysis?.kind === 'read') return;
      if (isEnclosed(statement)) {
        if (isAnswered(answered)) await disclose(session, statement, this);
        else leaveOpen(session, statement, this);
      } else if (statement.analysis?.kind === 'transaction') {
        this.#afterTransactionCommand(session, statement, answered);
        if (!answered.success) this.#closeUnended(session, statement, answered.error);
        await session.unlock();
      } else {
        await this.#afterWrite(session, statement, answered);
      }
    } finally {
      session.turns.leave(statement);
      await session.turns.resumeOthers();
    }
  }

  /** It was given up as never sent, and was sent after all: nothing was prepared for it. */
  #afterUnknown(session: ConnectionSession, { query }: AnsweredStatement): void {
    const { kind } = this.schema.analyser.statement(query);
    if (kind === 'read') return;
    if (session.isInTransaction) session.log.addForGood('anything');
    else this.protocol.owe('anything');
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
      if (statement.isSuspended) this.#afterSuspended(session);
      else await statement.endOwnTransaction?.(answered.success && isRecorded, answered.error);
    }
  }

  /** It was sent while it had given way: nobody was told before it was committed. */
  #afterSuspended(session: ConnectionSession): void {
    if (session.isInTransaction) return;
    this.#owe(session);
    session.endTransaction();
  }

  #owe(session: ConnectionSession): void {
    this.protocol.owe(session.log.tables());
  }

  /** The triggers tell of a change before the statement that made it is answered. */
  #noticed(session: ConnectionSession, message: PostgresNotice): void {
    const notice = this.outbox.parseNotice(message);
    if (!notice) return;
    const { isInTransaction, isEnclosing, turns } = session;
    const isFollowed = isInTransaction && turns.isUnderWay;
    const written = noticedWrites(notice, this.schema.catalogue);
    if (isInTransaction) {
      session.noticed.add(notice);
      turns.current?.noticed.add(notice);
      for (const part of written) {
        // Savepoints of a statement that is not followed are not known.
        if (isFollowed && !isEnclosing) session.log.add(part);
        else session.log.addForGood(part);
      }
    }
    if (isFollowed || isEnclosing || notice.recordedId !== undefined) return;
    // Nobody need see its COMMIT (a stream, the driver's client). Epochs settle no sooner than it.
    for (const part of written) this.protocol.owe(part === 'anything' ? part : [part.table]);
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
      await enclose(session, statement, this);
    } else if (analysis?.kind === 'transaction') {
      if (analysis.command === 'commit') await this.#prepareCommit(session, statement);
    } else if (wasInTransaction) {
      session.understoodBy ??= statement.catalogue;
    } else {
      await beginOwnTransaction(session, statement, this.protocol, {
        announce: () => announce(session, this),
        owe: () => this.#owe(session),
      });
    }
  }

  async #prepareCommit(session: ConnectionSession, statement: RunningStatement): Promise<void> {
    const begin = async (): Promise<boolean> => {
      // In a failed transaction COMMIT rolls back.
      if (session.client.getTransactionStatus() !== 'T') return false;
      statement.announcement = await announce(session, this);
      return true;
    };
    const abort = async (): Promise<void> => {
      if (statement.announcement) this.protocol.abort(statement.announcement);
      statement.announcement = undefined;
    };
    await begin();
    statement.preparation = { giveWay: abort, resume: begin, abandon: abort };
  }

  #record(
    session: ConnectionSession,
    statement: RunningStatement,
    { success, rawResults, error }: AnsweredStatement,
  ): void {
    // A failure that the server did not report may have been carried out all the same.
    if (!success && isAnswered({ error })) return;
    const { analysis } = statement;
    if (analysis?.kind === 'unknown' && analysis.changesSchema) {
      session.changeSchema(this.schema);
    }
    if (success) fileEffect(effectOf(statement, rawResults, this.trust.isTold), session, this);
    else session.log.add('anything');
    if (success && statement.wasInTransaction && !session.isInTransaction) {
      // Sent at the same time as the COMMIT of its transaction, and carried out after it.
      this.#owe(session);
      session.endTransaction();
    }
  }

  /**
   * Closes the connection where its transaction was to be rolled back and got no answer: it may still be open, and would
   * swallow what is sent over the connection next.
   */
  #closeUnended(session: ConnectionSession, { analysis }: RunningStatement, error: unknown): void {
    const isRollback = analysis?.kind === 'transaction' && analysis.command === 'rollback';
    if (!isRollback || isAnswered({ error })) return;
    session.close();
    this.#endTransaction(session);
  }

  #afterTransactionCommand(
    session: ConnectionSession,
    { analysis, announcement, wasInTransaction, isSuspended }: RunningStatement,
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
      if (isSuspended && outcome !== 'rolled-back') this.#owe(session);
      // Without an answer it may still be open: a later COMMIT announces it once more.
      if (isAnswered({ success, error })) this.#endTransaction(session);
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

/** Whether the server has said how the statement has ended. */
function isAnswered({ success = false, error }: Partial<AnsweredStatement>): boolean {
  return success || sqlStateOf(error) !== undefined;
}
