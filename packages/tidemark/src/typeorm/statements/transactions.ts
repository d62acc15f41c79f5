/**
 * Transactions over one connection: those of the application, and the implicit transaction of a single writing
 * statement outside any transaction. The implicit one begins and ends over the connection itself and bypasses TypeORM:
 * TypeORM and its subscribers see a statement that commits by itself.
 */
import { QueryFailedError } from 'typeorm';
import { endsSession, sqlStateOf } from '../../postgres/sql-state.js';
import { idleLimit, rollBack } from '../database/transaction-end.js';
import { publish, publishLate } from './publishing.js';
import type { ConnectionSession } from './connection-session.js';
import {
  outcomeOfAnswer,
  outcomeOfFailure,
  type PublishedWrite,
} from '../../core/write-protocol.js';
import { isWriteRefused } from '../../core/write-refused.js';
import { isAnswered, type StatementAnswer, type StatementContext } from './statement-context.js';

/** The longest idle limit of the server, in milliseconds. */
const MAX_IDLE_MS = 2 ** 31 - 1;

/**
 * The SQL that opens an implicit transaction. It holds the locks of its statement beyond the end of the statement, so
 * it has a short idle limit in case this process stalls before COMMIT.
 *
 * @param idleMs the idle limit in milliseconds; 0: that of the session.
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
  // A COMMIT of another caller over the same connection preceded the statement.
  if (!session.isInTransaction) return publishLate(session);
  let publishedWrite: PublishedWrite | undefined;
  try {
    publishedWrite = await publish(session, statement.origin);
  } catch (error) {
    await rollBackImplicit(session, error);
    throw isWriteRefused(error) ? error : failed(statement, error as Error);
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

/** @param cause the failure that requires the rollback, if there was one. */
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
  // Inside a transaction, the server answers BEGIN with a warning only.
  if (command === 'begin' && !session.isInTransaction) endTransaction(session);
  // In a failed transaction, COMMIT rolls back.
  if (command !== 'commit' || !session.isInTransaction || session.hasFailed) return;
  try {
    statement.publishedWrite = await publish(session, statement.origin);
  } catch (error) {
    // A failed COMMIT has ended the transaction.
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
    // Without an answer the transaction may still be open: a later COMMIT publishes it again.
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
 * Closes the connection if a ROLLBACK got no answer: the transaction may still be open, and would include the next
 * statements over the connection.
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
  // A catalog loaded since the statement does not show its changes.
  if (session.hasChangedSchema) session.parts.schema.markOutdated();
  session.endTransaction();
}
