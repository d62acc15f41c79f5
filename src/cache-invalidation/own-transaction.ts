/**
 * The transaction given to a writing statement that was sent outside of one.
 *
 * It is begun and ended over the connection itself, past TypeORM: to TypeORM and its subscribers
 * the statement stays what it was, one that commits by itself.
 */
import { QueryFailedError } from 'typeorm';
import type { ConnectionSession } from './connection-session.js';
import type { RunningStatement } from './running-statement.js';
import { outcomeOfAnswer, outcomeOfFailure, sqlStateOf } from './core/commit-outcome.js';
import type { Announcement, WriteProtocol } from './core/write-protocol.js';

export interface OwnTransactionSteps {
  /** Reads and locks the old rows, once the transaction is open. */
  readonly probe: () => Promise<void>;
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
  const begin = async (): Promise<void> => {
    session.understoodBy = statement.catalogue;
    try {
      await session.client.query('START TRANSACTION');
      await steps.probe();
    } catch (error) {
      await rollback(session);
      throw error;
    }
  };
  await begin();
  statement.endOwnTransaction = (success) =>
    success ? commit(session, statement, protocol, steps) : rollback(session);
  statement.preparation = {
    giveWay: () => rollback(session),
    resume: async () => {
      if (session.isInTransaction) return false;
      await begin();
      return true;
    },
    abandon: () => rollback(session),
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
    await rollback(session);
    throw error;
  }
  let outcome = outcomeOfAnswer(undefined);
  try {
    const { command } = await session.client.query('COMMIT');
    outcome = outcomeOfAnswer(command);
  } catch (error) {
    outcome = outcomeOfFailure(sqlStateOf(error));
    session.expectNewStatus();
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

async function rollback(session: ConnectionSession): Promise<void> {
  session.endTransaction();
  // A failure means that the connection is gone, and the transaction with it.
  await session.client.query('ROLLBACK').catch(() => undefined);
}

function failed({ sql, parameters }: RunningStatement, error: Error): QueryFailedError {
  return new QueryFailedError(sql, Array.isArray(parameters) ? parameters : [], error);
}
