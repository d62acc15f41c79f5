/**
 * The transaction given to a writing statement that was sent outside of one.
 *
 * It is begun and ended over the connection itself, past TypeORM: to TypeORM and its subscribers
 * the statement stays what it was, one that commits by itself.
 */
import { QueryFailedError } from 'typeorm';
import { endsSession, sqlStateOf } from '../query-cache/core/sql-state.js';
import { idleLimit, rollBack } from '../query-cache/index.js';
import { announce, announceLate, type Audience } from './announcing.js';
import type { ConnectionSession } from './connection-session.js';
import { outcomeOfAnswer, outcomeOfFailure } from './core/commit-outcome.js';
import type { Announcement } from './core/write-protocol.js';
import { WriteRefusedError } from './core/write-refused.error.js';
import type { StatementContext } from './statement-context.js';

/** The longest that the server can time, in milliseconds. */
const LONGEST_IDLE_MS = 2 ** 31 - 1;

/**
 * What opens such a transaction. It holds locks that the statement alone would hold until it is done,
 * so it ends soon when this process stands still before its COMMIT.
 *
 * @param idleMs the longest that it may be idle, in milliseconds; 0: as long as any transaction of the session.
 * @throws RangeError
 */
export function openingOf(idleMs: number): string {
  if (!Number.isInteger(idleMs) || idleMs < 0 || idleMs > LONGEST_IDLE_MS) {
    throw new RangeError(
      'CacheInvalidationModule option `implicitTransactionIdleMs` is no whole number of milliseconds: give one from 0 on.',
    );
  }
  return idleMs === 0 ? 'START TRANSACTION' : `START TRANSACTION; ${idleLimit(idleMs)}`;
}

export async function beginOwnTransaction(
  session: ConnectionSession,
  statement: StatementContext,
  opening: string,
): Promise<void> {
  session.understoodBy = statement.catalogue;
  statement.state = 'implicit-transaction';
  try {
    await session.client.query(opening);
  } catch (error) {
    await rollBackOwnTransaction(session, error);
    throw error;
  }
}

export async function commitOwnTransaction(
  session: ConnectionSession,
  statement: StatementContext,
  audience: Audience,
): Promise<void> {
  // Somebody else's COMMIT over the same connection came before the statement.
  if (!session.isInTransaction) return announceLate(session, audience);
  let announcement: Announcement | undefined;
  try {
    announcement = await announce(session, audience);
  } catch (error) {
    await rollBackOwnTransaction(session, error);
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
    if (announcement) audience.protocol.conclude(announcement, outcome);
    session.endTransaction();
  }
  if (outcome === 'rolled-back') {
    const reason = 'Rolled back: another statement sent over the same connection has failed.';
    throw failed(statement, new Error(reason));
  }
}

/** @param cause the failure for which it is rolled back, if there was one. */
export async function rollBackOwnTransaction(
  session: ConnectionSession,
  cause?: unknown,
): Promise<void> {
  session.endTransaction();
  await rollBack(session.client, cause, () => session.client.query('ROLLBACK'));
}

function failed({ sql, parameters }: StatementContext, error: Error): QueryFailedError {
  return new QueryFailedError(sql, Array.isArray(parameters) ? parameters : [], error);
}
