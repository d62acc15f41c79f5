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
 *   (enclosed-statement.ts). So is one that another subscriber holds up, and what that subscriber writes.
 * - Statements of one connection keep their order (statement-queue.ts).
 * - What is kept belongs to the connection, not to the query runner: one that is released with an open
 *   transaction hands the transaction on, and what is known of it.
 * - A transaction that was understood under a catalogue which is not the present one any more may
 *   have touched anything.
 */
import { QueryFailedError, type EntitySubscriberInterface, type QueryRunner } from 'typeorm';
import {
  FOLLOWS_WRITES_ALONE,
  type DatabaseSchema,
  type OpenTransactions,
} from '../query-cache/index.js';
import { announceLate } from './announcing.js';
import { ConnectionSessions, type ConnectionSession } from './connection-session.js';
import type { WriteProtocol } from './core/write-protocol.js';
import { WriteRefusedError } from './core/write-refused.error.js';
import { disclose, enclose, leaveOpen } from './enclosed-statement.js';
import type { OutboxWriter } from './outbox/outbox-writer.js';
import { noticedWrites, type PostgresNotice } from './outbox/trigger-notice.js';
import type { TriggerTrust } from './outbox/trigger-trust.js';
import {
  beginOwnTransaction,
  commitOwnTransaction,
  rollBackOwnTransaction,
} from './own-transaction.js';
import { isAnswered, StatementContext, type StatementAnswer } from './statement-context.js';
import { commitsByItself, mayChangeNames, understand } from './statement-understanding.js';
import {
  afterTransactionCommand,
  beforeTransactionCommand,
  closeUnended,
} from './transaction-command.js';
import { effectOf, fileEffect } from './touched-tables.js';
import { giveUpReleased, lookAfter, setAside } from './unsent-statement.js';

/** As TypeORM hands it to subscribers. */
interface SentStatement {
  readonly queryRunner: QueryRunner;
  readonly query: string;
  readonly parameters?: unknown;
}

interface WatcherParts {
  readonly schema: DatabaseSchema;
  readonly protocol: WriteProtocol;
  readonly outbox: OutboxWriter;
  readonly trust: TriggerTrust;
  readonly transactions: OpenTransactions;
  /** What opens a transaction for a single statement. */
  readonly opening: string;
}

export class StatementWatcher implements EntitySubscriberInterface {
  readonly [FOLLOWS_WRITES_ALONE] = true;
  /** Whether the catalogue is known, without which no statement can be followed. */
  isListening = false;
  /** Its application has stopped: another one may follow the data source. */
  isClosed = false;
  readonly #sessions: ConnectionSessions;

  constructor(private readonly parts: WatcherParts) {
    const { outbox, transactions } = parts;
    this.#sessions = new ConnectionSessions((session) => {
      session.client.on('notice', (notice) => this.#noticed(session, notice));
      session.introduce(outbox);
    });
    transactions.follow(() => this.#sessions.hasTransaction);
  }

  async beforeQuery(sent: SentStatement): Promise<void> {
    if (!this.isListening) return;
    const { queryRunner, query, parameters } = sent;
    // Only another subscriber can keep a statement that is ready from being sent.
    const mayBeHeldUp = queryRunner.dataSource.subscribers.some(
      (other) => other !== this && ('beforeQuery' in other || 'afterQuery' in other),
    );
    const session = await this.#sessions.of(queryRunner);
    // Where it fails the statement will; where it was undone its writes are told twice.
    await session.introduced;
    session.introduced = undefined;
    const statement = new StatementContext(queryRunner, query, parameters);
    session.queue.join(statement);
    try {
      await session.queue.waitForTurn(statement, (unsent) => setAside(session, unsent, this.parts));
      if (session.queue.setAsideOnes.length > 0) await giveUpReleased(session, this.parts);
      this.#refreshSchema();
      await understand(statement, session, this.parts.schema);
      if (statement.analysis?.kind !== 'read') {
        await session.refreshStatus();
        await this.#prepare(session, statement);
      }
    } catch (error) {
      session.queue.done(statement);
      closeUnended(session, statement, error, this.parts);
      throw error instanceof WriteRefusedError || error instanceof QueryFailedError
        ? error
        : new QueryFailedError(query, Array.isArray(parameters) ? parameters : [], error as Error);
    }
    session.queue.send(statement);
    if (mayBeHeldUp && statement.state !== 'unprepared') {
      void lookAfter(session, statement, this.parts);
    }
  }

  async afterQuery(answered: SentStatement & StatementAnswer): Promise<void> {
    if (!this.isListening) return;
    const session = await this.#sessions.of(answered.queryRunner);
    if (!answered.success) session.expectNewStatus();
    const statement = session.queue.take(answered.query, answered.parameters);
    if (!statement) return this.#afterUnknown(session, answered);
    if (mayChangeNames(statement)) session.forgetNames();
    // Among them are DISCARD and RESET, which take the setting of the triggers away.
    if (mayChangeNames(statement) && statement.analysis?.kind === 'read') {
      session.introduce(this.parts.outbox);
    }
    try {
      await this.#finish(session, statement, answered);
    } finally {
      session.queue.done(statement);
      await session.unlock();
    }
  }

  async #prepare(session: ConnectionSession, statement: StatementContext): Promise<void> {
    const { analysis } = statement;
    if (commitsByItself(statement)) {
      await enclose(session, statement, this.parts);
    } else if (analysis?.kind === 'transaction') {
      await beforeTransactionCommand(session, statement, this.parts);
    } else if (session.isInTransaction) {
      session.understoodBy ??= statement.catalogue;
    } else if (session.queue.setAsideOnes.length > 0) {
      // What was set aside may be sent at any time, and would become part of a transaction.
      await enclose(session, statement, this.parts);
    } else {
      await beginOwnTransaction(session, statement, this.parts.opening);
    }
  }

  async #finish(
    session: ConnectionSession,
    statement: StatementContext,
    answered: StatementAnswer,
  ): Promise<void> {
    const { analysis, state } = statement;
    if (state === 'autonomous') {
      if (isAnswered(answered)) await disclose(session, statement, this.parts);
      else leaveOpen(session, statement, this.parts);
    } else if (state === 'implicit-transaction') {
      await this.#finishOwnTransaction(session, statement, answered);
    } else if (analysis?.kind === 'transaction') {
      afterTransactionCommand(session, statement, answered, this.parts);
    } else if (analysis?.kind !== 'read') {
      this.#record(session, statement, answered);
      // It was sent at the same time as the COMMIT of its transaction, and carried out after it.
      if (answered.success && !session.isInTransaction) announceLate(session, this.parts);
    }
  }

  async #finishOwnTransaction(
    session: ConnectionSession,
    statement: StatementContext,
    answered: StatementAnswer,
  ): Promise<void> {
    if (!answered.success) return rollBackOwnTransaction(session, answered.error);
    try {
      this.#record(session, statement, answered);
    } catch (error) {
      await rollBackOwnTransaction(session);
      throw error;
    }
    await commitOwnTransaction(session, statement, this.parts);
  }

  /** Enters into the log of the transaction what the statement has touched. */
  #record(
    session: ConnectionSession,
    statement: StatementContext,
    { success, rawResults, error }: StatementAnswer,
  ): void {
    // A failure that the server did not report may have been carried out all the same.
    if (!success && isAnswered({ error })) return;
    const { analysis } = statement;
    const { schema, trust } = this.parts;
    if (analysis?.kind === 'unknown' && analysis.changesSchema) session.changeSchema(schema);
    if (success) fileEffect(effectOf(statement, rawResults, trust.isTold), session, this.parts);
    else session.log.add('anything');
  }

  /** It was given up as never sent, and was sent after all: nothing was prepared for it. */
  #afterUnknown(session: ConnectionSession, { query }: SentStatement): void {
    const { schema, protocol } = this.parts;
    if (schema.analyser.statement(query).kind === 'read') return;
    if (session.isInTransaction) session.log.addForGood('anything');
    else protocol.owe('anything');
  }

  /** The triggers tell of a change before the statement that made it is answered. */
  #noticed(session: ConnectionSession, message: PostgresNotice): void {
    const { schema, protocol, outbox } = this.parts;
    const notice = outbox.parseNotice(message);
    if (!notice) return;
    const { isInTransaction, isEnclosing, queue } = session;
    const isFollowed = isInTransaction && queue.isUnderWay;
    const written = noticedWrites(notice, schema.catalogue);
    if (isInTransaction) {
      session.noticed.add(notice);
      queue.current?.noticed.add(notice);
      for (const part of written) {
        // Savepoints of a statement that is not followed are not known.
        if (isFollowed && !isEnclosing) session.log.add(part);
        else session.log.addForGood(part);
      }
    }
    if (isFollowed || isEnclosing || notice.recordedId !== undefined) return;
    // Nobody need see its COMMIT (a stream, the driver's client). Epochs settle no sooner than it.
    for (const part of written) protocol.owe(part === 'anything' ? part : [part.table]);
  }

  /**
   * After a change of the schema the catalogue is loaded anew, over another connection: this one
   * may have other settings. It is not waited for, since there may be no other connection; what is
   * understood by the old catalogue meanwhile is announced as a write to anything.
   */
  #refreshSchema(): void {
    const { schema } = this.parts;
    if (schema.isOutdated) void schema.load().catch(() => undefined);
  }
}
