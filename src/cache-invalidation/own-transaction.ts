/**
 * The transaction given to a writing statement that was sent outside of one. The statement itself opens it,
 * where it can, so that it costs no round trip of its own.
 *
 * It is begun and ended over the connection itself, past TypeORM: to TypeORM and its subscribers
 * the statement stays what it was, one that commits by itself.
 */
import { QueryFailedError } from 'typeorm';
import { idleLimit, rollBack } from '../query-cache/index.js';
import { endsSession, sqlStateOf } from '../query-cache/core/sql-state.js';
import type { ConnectionSession } from './connection-session.js';
import { openWhenSent } from './opening-query.js';
import type { RunningStatement } from './running-statement.js';
import { outcomeOfAnswer, outcomeOfFailure } from './core/commit-outcome.js';
import type { Announcement, WriteProtocol } from './core/write-protocol.js';
import { WriteRefusedError } from './core/write-refused.error.js';

/** The longest that the server can time, in milliseconds. */
const LONGEST_IDLE_MS = 2 ** 31 - 1;

/**
 * The statements that open such a transaction. It holds locks that the statement alone would hold until it is done,
 * so it ends soon when this process stands still before its COMMIT.
 *
 * @param idleMs the longest that it may be idle, in milliseconds; 0: as long as any transaction of the session.
 * @throws RangeError
 */
export function openingStatements(idleMs: number): readonly string[] {
  if (!Number.isInteger(idleMs) || idleMs < 0 || idleMs > LONGEST_IDLE_MS) {
    throw new RangeError(
      'CacheInvalidationModule option `implicitTransactionIdleMs` is no whole number of milliseconds: give one from 0 on.',
    );
  }
  return idleMs === 0 ? ['START TRANSACTION'] : ['START TRANSACTION', idleLimit(idleMs)];
}

export interface OwnTransactionSteps {
  readonly announce: () => Promise<Announcement | undefined>;
  /** Ends what it has touched as soon as possible: nobody was told before it was committed. */
  readonly owe: () => void;
}

export async function beginOwnTransaction(
  session: ConnectionSession,
  statement: RunningStatement,
  protocol: WriteProtocol,
  steps: OwnTransactionSteps,
): Promise<void> {
  const { sql, parameters } = statement;
  /** While the statement is to open the transaction: takes that back, and tells whether it was in time. */
  let takeBack: (() => boolean) | undefined;
  const begin = async (): Promise<void> => {
    session.understoodBy = statement.catalogue;
    session.isInOwnTransaction = true;
    try {
      if (session.canOpen && Array.isArray(parameters) && parameters.length > 0) {
        takeBack = openWhenSent(session.client, sql, (values) => session.openWith(sql, values));
      } else await session.open();
    } catch (error) {
      await rollback(session, error);
      throw error;
    }
  };
  const undo = async (): Promise<void> => {
    if (takeBack?.()) session.endTransaction();
    else await rollback(session);
  };
  await begin();
  statement.endOwnTransaction = (success, error) => {
    // It was carried out by another way than the one it was waited for on.
    if (takeBack?.() && success) session.openBeforehand();
    return success ? commit(session, statement, protocol, steps) : rollback(session, error);
  };
  statement.preparation = {
    giveWay: undo,
    resume: async () => {
      if (session.isInTransaction) return false;
      await begin();
      return true;
    },
    abandon: undo,
  };
}

async function commit(
  session: ConnectionSession,
  statement: RunningStatement,
  protocol: WriteProtocol,
  { announce, owe }: OwnTransactionSteps,
): Promise<void> {
  if (!session.isInTransaction) {
    // Someone else's COMMIT over the same connection came before the statement.
    owe();
    session.endTransaction();
    return;
  }
  let announcement: Announcement | undefined;
  try {
    announcement = await announce();
  } catch (error) {
    await rollback(session, error);
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
    if (announcement) protocol.conclude(announcement, outcome);
    session.endTransaction();
  }
  if (outcome === 'rolled-back') {
    const reason = 'Rolled back: another statement sent over the same connection has failed.';
    throw failed(statement, new Error(reason));
  }
}

async function rollback(session: ConnectionSession, cause?: unknown): Promise<void> {
  session.endTransaction();
  await rollBack(session.client, cause, () => session.client.query('ROLLBACK'));
}

function failed({ sql, parameters }: RunningStatement, error: Error): QueryFailedError {
  return new QueryFailedError(sql, Array.isArray(parameters) ? parameters : [], error);
}
