/**
 * Follows every statement TypeORM sends and drives `begin`, `end` and `abort` around COMMIT.
 *
 * The text of a statement says whether it may write (memoised syntax trees), the notices of the triggers
 * say what was written, the answer is checked against them (written-tables.ts), and the server's own transaction
 * status says whether it runs in a transaction. Entity events are not used: the old image they carry was read
 * before the row was locked, so another transaction may have moved the row in between.
 *
 * - A writing statement outside a transaction is given one (transactions.ts), so that its mark
 *   is never older than its transaction and lies on the regions only around COMMIT.
 * - A statement that written no row marks nothing.
 * - A statement that cannot run in a transaction is autonomous by `begin` and `end`
 *   (autonomous-statement.ts). So is one that another subscriber holds up, and what that subscriber writes.
 * - Statements of one connection keep their order (statement-queue.ts).
 * - The state belongs to the connection, not to the query runner: one that is released with an open
 *   transaction hands the transaction on.
 * - A transaction that was understood under an outdated catalog may have written anything.
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
import { WriteRefusedError } from '../../core/write-refused.error.js';
import {
  abandon,
  afterAutonomous,
  beforeAutonomous,
  giveUpReleased,
  lookAfter,
} from './autonomous-statement.js';
import { noticedWrites, parseNotice, type Notice } from '../../postgres/capture/captured-writes.js';
import { isAnswered, StatementContext, type StatementAnswer } from './statement-context.js';
import { effectOf, fileEffect } from './written-tables.js';
import {
  afterTransactionCommand,
  beforeTransactionCommand,
  beginImplicit,
  closeUnended,
  commitImplicit,
  failed,
  rollBackImplicit,
} from './transactions.js';

/** As TypeORM hands it to subscribers. */
interface SentStatement {
  readonly queryRunner: QueryRunner;
  readonly query: string;
  readonly parameters?: unknown;
}

interface WatcherParts extends SessionParts {
  readonly transactions: OpenTransactions;
  /** The text that opens a transaction for a single statement. */
  readonly opening: string;
}

export class StatementInterceptor implements EntitySubscriberInterface {
  readonly [FOLLOWS_WRITES_ALONE] = true;
  /** Whether the catalog is known, without which no statement can be followed. */
  isListening = false;
  /** Its application has stopped: another one may follow the data source. */
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
    if (!this.isListening) return;
    // Only another subscriber can keep a statement that is ready from being sent.
    const mayBeHeldUp = queryRunner.dataSource.subscribers.some(
      (other) => other !== this && ('beforeQuery' in other || 'afterQuery' in other),
    );
    const session = await this.#sessions.of(queryRunner);
    await session.introduced;
    session.introduced = undefined;
    const statement = new StatementContext(queryRunner, query, parameters);
    const isBehind = !session.queue.isEmpty;
    const turn = session.queue.join(statement);
    // The one before may have lost its end, where another subscriber or a new list of them came in between.
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
      throw error instanceof WriteRefusedError || error instanceof QueryFailedError
        ? error
        : failed(statement, error as Error);
    }
    statement.phase = 'ready';
  }

  async afterQuery(answered: SentStatement & StatementAnswer): Promise<void> {
    if (!this.isListening) return;
    const session = await this.#sessions.of(answered.queryRunner);
    if (!answered.success) session.expectNewStatus();
    const statement = session.queue.take(answered.query, answered.parameters);
    if (!statement) return this.#afterUnknown(session, answered);
    if (statement.mayChangeNames) {
      session.forgetNames();
      // Among them are DISCARD and RESET, which take the setting of the triggers away.
      if (statement.analysis?.kind === 'read') session.introduce();
    }
    try {
      await this.#finish(session, statement, answered);
    } finally {
      session.queue.done(statement);
      session.unlock();
    }
  }

  async #prepare(session: ConnectionSession, statement: StatementContext): Promise<void> {
    if (statement.commitsByItself) {
      await beforeAutonomous(session, statement);
    } else if (statement.analysis?.kind === 'transaction') {
      await beforeTransactionCommand(session, statement);
    } else if (session.isInTransaction) {
      session.understoodBy ??= statement.catalog;
    } else if (session.queue.setAsideOnes.length > 0) {
      // What was set aside may be sent at any time, and would become part of a transaction.
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
      if (isAnswered(answered)) await afterAutonomous(session, statement);
      else abandon(session, statement);
    } else if (state === 'implicit-transaction') {
      await this.#finishImplicit(session, statement, answered);
    } else if (analysis?.kind === 'transaction') {
      afterTransactionCommand(session, statement, answered);
    } else if (analysis?.kind !== 'read') {
      this.#record(session, statement, answered);
      // It was sent at the same time as the COMMIT of its transaction, and carried out after it.
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

  /** Enters into the log of the transaction what the statement has written. */
  #record(
    session: ConnectionSession,
    statement: StatementContext,
    answered: StatementAnswer,
  ): void {
    // A failure that the server did not report may have been carried out all the same.
    if (!answered.success && isAnswered(answered)) return;
    const { analysis } = statement;
    if (analysis?.kind === 'unknown' && analysis.changesSchema) session.changeSchema();
    if (!answered.success) session.log.add('all-tables');
    else fileEffect(effectOf(statement, answered.rawResults, this.parts.triggers.isTold), session);
  }

  /** It was given up as never sent, and was sent after all: nothing was prepared for it. */
  #afterUnknown(session: ConnectionSession, { query }: SentStatement): void {
    const { schema, protocol } = this.parts;
    if (schema.analyser.statement(query).kind === 'read') return;
    if (session.isInTransaction) session.log.addForGood('all-tables');
    else protocol.enqueue('all-tables');
  }

  /** The notice of a change arrives before the answer of the statement that made it. */
  #noticed(session: ConnectionSession, message: Notice): void {
    const { schema, protocol, objects } = this.parts;
    const notice = parseNotice(message, objects.namespace);
    if (!notice) return;
    const { isInTransaction, isEnclosing, queue } = session;
    const isFollowed = isInTransaction && queue.isUnderWay;
    const written = noticedWrites(notice, schema.catalog);
    if (isInTransaction) {
      // The trigger may have written tables without triggers as well.
      session.log.mayHaveMore ||= notice.isRecorded !== false;
      queue.current?.noticed.add(notice.table);
      for (const part of written) {
        // Savepoints of a statement that is not followed are not known.
        if (isFollowed && !isEnclosing) session.log.add(part);
        else session.log.addForGood(part);
      }
    }
    if (isFollowed || isEnclosing || notice.isRecorded === true) return;
    // No hook need see its COMMIT (a stream, the driver's client). Epochs settle no sooner than it.
    for (const part of written) protocol.enqueue(part === 'all-tables' ? part : [part.table]);
  }

  /**
   * After a change of the schema the catalog is loaded again, over another connection: this one may have other
   * settings. It is not waited for, since there may be no other connection; what is understood by the old catalog
   * meanwhile is published as a write to anything.
   */
  #refreshSchema(): void {
    const { schema } = this.parts;
    if (schema.isOutdated) void schema.load().catch(() => undefined);
  }
}
