/**
 * Intercepts every statement of TypeORM and drives `begin`, `end` and `abort` around COMMIT (docs/decisions/writes.md).
 *
 * The text of a statement shows whether it may write (cached syntax trees). The notices of the triggers show the
 * writes. The answer is checked against the notices (written-tables.ts). The transaction status of the server shows
 * whether the statement runs in a transaction.
 *
 * - A writing statement outside a transaction gets an implicit transaction (transactions.ts). Its mark is then never
 *   older than its transaction, and covers the regions only around COMMIT.
 * - A statement that has written no row marks nothing.
 * - A statement that cannot run in a transaction is autonomous and runs between `begin` and `end`
 *   (autonomous-statement.ts). So does a statement that another subscriber holds up, with the writes of that
 *   subscriber.
 * - Statements of one connection keep their order (statement-queue.ts).
 * - A transaction that was analysed under an outdated catalog may have written any table.
 */
import { QueryFailedError, type EntitySubscriberInterface, type QueryRunner } from 'typeorm';
import { FOLLOWS_WRITES_ALONE } from '../queries/direct-read.js';
import type { OpenTransactions } from '../database/open-transactions.js';
import { publishLate } from './publishing.js';
import {
  ConnectionSessions,
  type ConnectionSession,
  type SessionParts,
} from './connection-session.js';
import { isWriteRefused } from '../../core/write-refused.js';
import {
  abandon,
  afterAutonomous,
  beforeAutonomous,
  giveUpReleased,
  lookAfter,
} from './autonomous-statement.js';
import { parseNotice, writtenTables, type Notice } from '../../postgres/capture/captured-writes.js';
import { isAnswered, StatementContext, type StatementAnswer } from './statement-context.js';
import { effectOf, fileEffect, hasWritten } from './written-tables.js';
import {
  afterTransactionCommand,
  beforeTransactionCommand,
  beginImplicit,
  closeUnended,
  commitImplicit,
  failed,
  rollBackImplicit,
} from './transactions.js';

/** As TypeORM passes it to subscribers. */
interface SentStatement {
  readonly queryRunner: QueryRunner;
  readonly query: string;
  readonly parameters?: unknown;
}

interface WatcherParts extends SessionParts {
  readonly transactions: OpenTransactions;
  /** The SQL that opens an implicit transaction. */
  readonly opening: string;
}

export class StatementInterceptor implements EntitySubscriberInterface {
  readonly [FOLLOWS_WRITES_ALONE] = true;
  /** Whether the catalog is loaded: without it no statement can be analysed. */
  isListening = false;
  /** Whether a statement may have passed unanalysed since a load of the catalog began: it is loaded once more. */
  hasMissed = false;
  /** Its application has stopped: another application may follow the data source. */
  isClosed = false;
  readonly #sessions: ConnectionSessions;

  constructor(private readonly parts: WatcherParts) {
    this.#sessions = new ConnectionSessions(parts, (session) => {
      session.client.on('notice', (notice) => this.#noticed(session, notice));
      session.introduce();
    });
    parts.transactions.follow(() => this.#sessions.hasTransaction);
  }

  async beforeQuery({ queryRunner, query, parameters }: SentStatement): Promise<void> {
    if (!this.isListening) return this.#miss();
    // Before the first wait, which might continue in another context.
    const origin = this.parts.origins.current;
    // Only another subscriber can keep a ready statement from being sent.
    const mayBeHeldUp = this.parts.source.subscribers.some(
      (other) => other !== this && ('beforeQuery' in other || 'afterQuery' in other),
    );
    const session = await this.#sessions.of(queryRunner);
    await session.introduced;
    session.introduced = undefined;
    const statement = new StatementContext(queryRunner, query, parameters, origin);
    const isBehind = !session.queue.isEmpty;
    const turn = session.queue.join(statement);
    // `afterQuery` of the previous statement may never come, if another subscriber or a new list of subscribers
    // intervened.
    if (mayBeHeldUp || isBehind) void lookAfter(session);
    try {
      await turn;
      if (session.queue.setAsideOnes.length > 0) await giveUpReleased(session);
      this.#refreshSchema();
      await statement.classify(session);
      if (statement.analysis?.kind !== 'read') {
        await session.refreshStatus();
        await this.#prepare(session, statement);
      }
    } catch (error) {
      session.queue.done(statement);
      closeUnended(session, statement, error);
      throw isWriteRefused(error) || error instanceof QueryFailedError
        ? error
        : failed(statement, error as Error);
    }
    statement.phase = 'ready';
  }

  async afterQuery(answered: SentStatement & StatementAnswer): Promise<void> {
    if (!this.isListening) return this.#miss();
    const session = await this.#sessions.of(answered.queryRunner);
    if (!answered.success) session.expectNewStatus();
    const statement = session.queue.take(answered.query, answered.parameters);
    if (!statement) return this.#afterUnknown(session, answered);
    if (statement.mayChangeNames) {
      session.forgetNames();
      // These include DISCARD and RESET, which remove the setting for notices.
      if (statement.analysis?.kind === 'read') session.introduce();
    }
    try {
      await this.#finish(session, statement, answered);
    } finally {
      session.queue.done(statement);
      session.unlock();
    }
  }

  #miss(): void {
    this.hasMissed = true;
  }

  async #prepare(session: ConnectionSession, statement: StatementContext): Promise<void> {
    if (statement.commitsByItself) {
      await beforeAutonomous(session, statement);
    } else if (statement.analysis?.kind === 'transaction') {
      await beforeTransactionCommand(session, statement);
    } else if (session.isInTransaction) {
      session.understoodBy ??= statement.catalog;
    } else if (session.queue.setAsideOnes.length > 0) {
      // A statement set aside may be sent at any time, and would become part of an implicit transaction.
      await beforeAutonomous(session, statement);
    } else {
      await beginImplicit(session, statement, this.parts.opening);
    }
  }

  async #finish(
    session: ConnectionSession,
    statement: StatementContext,
    answered: StatementAnswer,
  ): Promise<void> {
    const { analysis, state } = statement;
    if (state === 'autonomous') {
      if (isAnswered(answered)) {
        const outcome = answered.success ? 'committed' : 'unknown';
        await afterAutonomous(session, statement, outcome);
      } else abandon(session, statement);
    } else if (state === 'implicit-transaction') {
      await this.#finishImplicit(session, statement, answered);
    } else if (analysis?.kind === 'transaction') {
      afterTransactionCommand(session, statement, answered);
    } else if (analysis?.kind !== 'read') {
      this.#record(session, statement, answered);
      // It was sent together with the COMMIT of its transaction, and executed after it.
      if (answered.success && !session.isInTransaction) publishLate(session);
    }
  }

  async #finishImplicit(
    session: ConnectionSession,
    statement: StatementContext,
    answered: StatementAnswer,
  ): Promise<void> {
    if (!answered.success) return rollBackImplicit(session, answered.error);
    try {
      this.#record(session, statement, answered);
    } catch (error) {
      await rollBackImplicit(session);
      throw error;
    }
    await commitImplicit(session, statement);
  }

  /** Adds the writes of the statement to the log of the transaction. */
  #record(
    session: ConnectionSession,
    statement: StatementContext,
    answered: StatementAnswer,
  ): void {
    // The server may have executed the statement if it did not report the failure.
    if (!answered.success && isAnswered(answered)) return;
    const { analysis } = statement;
    if (analysis?.kind === 'unknown' && analysis.changesSchema) session.changeSchema();
    if (!answered.success) {
      session.log.add('all-tables');
      session.name(statement);
      return;
    }
    const effect = effectOf(statement, answered.rawResults, this.parts.triggers.hasTriggers);
    fileEffect(effect, session);
    if (hasWritten(effect, statement)) session.name(statement);
  }

  /** The statement was given up as unsent and was sent nevertheless, without preparation. */
  #afterUnknown(session: ConnectionSession, { query }: SentStatement): void {
    const { schema, protocol } = this.parts;
    if (schema.analyser.statement(query).kind === 'read') return;
    if (session.isInTransaction) session.log.addForGood('all-tables');
    else protocol.enqueue('all-tables');
  }

  /** Handles a notice. It arrives before the answer of the statement that made the change. */
  #noticed(session: ConnectionSession, message: Notice): void {
    const { schema, protocol, objects } = this.parts;
    const notice = parseNotice(message, objects.namespace);
    if (!notice) return;
    const { isInTransaction, isAutonomous, queue } = session;
    const isFollowed = isInTransaction && queue.isUnderWay;
    const written = writtenTables(notice, schema.catalog);
    if (isInTransaction) {
      // The trigger may also have written tables without triggers.
      session.log.mayHaveMore ||= notice.isRecorded !== false;
      queue.current?.noticed.add(notice.table);
      for (const part of written) {
        // The savepoints around a statement outside the queue are unknown.
        if (isFollowed && !isAutonomous) session.log.add(part);
        else session.log.addForGood(part);
      }
    }
    if (isFollowed || isAutonomous || notice.isRecorded === true) return;
    // The hooks may not see its COMMIT (a stream, the client of the driver). Epochs settle only after that COMMIT.
    for (const part of written) protocol.enqueue(part === 'all-tables' ? part : [part.table]);
  }

  /**
   * After a schema change, reloads the catalog over another connection: this one may have other settings. The statement
   * does not wait for the reload, since there may be no other connection. Writes analysed under the old catalog
   * meanwhile are published as writes to all tables.
   */
  #refreshSchema(): void {
    const { schema, triggers } = this.parts;
    // Otherwise each table of an installation would cause a reload.
    if (schema.isOutdated && !triggers.isInstalling) void schema.load().catch(() => undefined);
  }
}
