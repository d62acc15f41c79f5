/**
 * Transactions over one connection: those of the application, and the one that a single writing statement is given
 * when it was sent outside of any. The latter is begun and ended over the connection itself, past TypeORM: to
 * TypeORM and its subscribers the statement commits by itself.
 */
import { QueryFailedError } from 'typeorm';
import { endsSession, sqlStateOf } from '../../postgres/sql-state.js';
import { idleLimit, rollBack } from '../database/transaction-end.js';
import { publish, publishLate } from './publishing.js';
import type { ConnectionSession } from './connection-session.js';
import { outcomeOfAnswer, outcomeOfFailure } from '../../core/commit-outcome.js';
import type { PublishedWrite } from '../../core/write-protocol.js';
import { WriteRefusedError } from '../../core/write-refused.error.js';
import { isAnswered, type StatementAnswer, type StatementContext } from './statement-context.js';

/** The longest that the server can time, in milliseconds. */
const MAX_IDLE_MS = 2 ** 31 - 1;

/**
 * The text that opens the transaction of a single statement. It holds locks that the statement alone would hold
 * until it is done, so it ends soon when this process stands still before its COMMIT.
 *
 * @param idleMs the longest that it may be idle, in milliseconds; 0: as long as any transaction of the session.
 * @throws RangeError
 */
export function openingOf(idleMs: number): string {
  if (!Number.isInteger(idleMs) || idleMs < 0 || idleMs > MAX_IDLE_MS) {
    throw new RangeError(
      'CacheInvalidationModule option `implicitTransactionIdleMs` is no whole number of milliseconds: give one from 0 on.',
    );
  }
  return idleMs === 0 ? 'START TRANSACTION' : `START TRANSACTION; ${idleLimit(idleMs)}`;
}

export async function beginImplicit(
  session: ConnectionSession,
  statement: StatementContext,
  opening: string,
): Promise<void> {
  session.understoodBy = statement.catalog;
  statement.state = 'implicit-transaction';
  try {
    await session.client.query(opening);
  } catch (error) {
    await rollBackImplicit(session, error);
    throw error;
  }
}

export async function commitImplicit(
  session: ConnectionSession,
  statement: StatementContext,
): Promise<void> {
  // A COMMIT of somebody else over the same connection came before the statement.
  if (!session.isInTransaction) return publishLate(session);
  let publishedWrite: PublishedWrite | undefined;
  try {
    publishedWrite = await publish(session);
  } catch (error) {
    await rollBackImplicit(session, error);
    throw error instanceof WriteRefusedError ? error : failed(statement, error as Error);
  }
  let outcome = outcomeOfAnswer(undefined);
  try {
    const { command } = await session.client.query('COMMIT');
    outcome = outcomeOfAnswer(command);
  } catch (error) {
    outcome = outcomeOfFailure(sqlStateOf(error));
    session.expectNewStatus();
    if (endsSession(error)) session.close();
    throw failed(statement, error as Error);
  } finally {
    if (publishedWrite) session.parts.protocol.conclude(publishedWrite, outcome);
    session.endTransaction();
  }
  if (outcome === 'rolled-back') {
    const reason = 'Rolled back: another statement sent over the same connection has failed.';
    throw failed(statement, new Error(reason));
  }
}

/** @param cause the failure for which it is rolled back, if there was one. */
export async function rollBackImplicit(session: ConnectionSession, cause?: unknown): Promise<void> {
  session.endTransaction();
  await rollBack(session.client, cause, () => session.client.query('ROLLBACK'));
}

/** The failure of a statement, as TypeORM would report it. */
export function failed(
  { sql, parameters }: Pick<StatementContext, 'sql' | 'parameters'>,
  error: Error,
): QueryFailedError {
  return new QueryFailedError(sql, Array.isArray(parameters) ? parameters : [], error);
}

export async function beforeTransactionCommand(
  session: ConnectionSession,
  statement: StatementContext,
): Promise<void> {
  if (statement.analysis?.kind !== 'transaction') return;
  const { command } = statement.analysis;
  // Inside a transaction the server only warns of BEGIN.
  if (command === 'begin' && !session.isInTransaction) endTransaction(session);
  // In a failed transaction COMMIT rolls back.
  if (command !== 'commit' || !session.isInTransaction || session.hasFailed) return;
  try {
    statement.publishedWrite = await publish(session);
  } catch (error) {
    // A COMMIT that fails has ended the transaction.
    endTransaction(session);
    await rollBack(session.client, error, () => session.client.query('ROLLBACK'));
    throw error;
  }
  statement.state = 'published-commit';
}

export function afterTransactionCommand(
  session: ConnectionSession,
  statement: StatementContext,
  answer: StatementAnswer,
): void {
  const { analysis, publishedWrite } = statement;
  if (analysis?.kind !== 'transaction') return;
  const { command, name = '' } = analysis;
  if (command === 'commit') {
    if (publishedWrite) session.parts.protocol.conclude(publishedWrite, outcomeOf(answer));
    // Without an answer it may still be open: a later COMMIT publishes it once more.
    if (isAnswered(answer)) endTransaction(session);
  }
  if (!answer.success) return closeUnended(session, statement, answer.error);
  if (command === 'rollback') endTransaction(session);
  if (command === 'savepoint') session.log.savepoint(name);
  if (command === 'release') session.log.release(name);
  if (command === 'rollback-to') {
    session.log.rollbackTo(name);
    session.restoreNames();
  }
}

/**
 * Closes the connection where its transaction was to be rolled back and got no answer: it may still be open, and
 * would swallow what is sent over the connection next.
 */
export function closeUnended(
  session: ConnectionSession,
  { analysis }: StatementContext,
  error: unknown,
): void {
  const isRollback = analysis?.kind === 'transaction' && analysis.command === 'rollback';
  if (!isRollback || isAnswered({ error })) return;
  session.close();
  endTransaction(session);
}

function outcomeOf({ success, rawResults, error }: StatementAnswer) {
  if (!success) return outcomeOfFailure(sqlStateOf(error));
  return outcomeOfAnswer((rawResults as { command?: string } | undefined)?.command);
}

function endTransaction(session: ConnectionSession): void {
  // What was loaded since the statement was still the catalog from before it.
  if (session.hasChangedSchema) session.parts.schema.markOutdated();
  session.endTransaction();
}
