/** The transactions of the application: BEGIN, COMMIT, ROLLBACK and savepoints. */
import { sqlStateOf } from '../query-cache/core/sql-state.js';
import { rollBack } from '../query-cache/index.js';
import { announce, type Audience } from './announcing.js';
import type { ConnectionSession } from './connection-session.js';
import { outcomeOfAnswer, outcomeOfFailure } from './core/commit-outcome.js';
import { isAnswered, type StatementAnswer, type StatementContext } from './statement-context.js';

export async function beforeTransactionCommand(
  session: ConnectionSession,
  statement: StatementContext,
  audience: Audience,
): Promise<void> {
  if (statement.analysis?.kind !== 'transaction') return;
  const { command } = statement.analysis;
  // Inside a transaction the server only warns of BEGIN.
  if (command === 'begin' && !session.isInTransaction) endTransaction(session, audience);
  // In a failed transaction COMMIT rolls back.
  if (command === 'commit' && session.client.getTransactionStatus() === 'T') {
    try {
      statement.announcement = await announce(session, audience);
    } catch (error) {
      // A COMMIT that fails has ended the transaction.
      endTransaction(session, audience);
      await rollBack(session.client, error, () => session.client.query('ROLLBACK'));
      throw error;
    }
    statement.state = 'published-commit';
  }
}

export function afterTransactionCommand(
  session: ConnectionSession,
  statement: StatementContext,
  answer: StatementAnswer,
  audience: Audience,
): void {
  if (statement.analysis?.kind !== 'transaction') return;
  const { command, name = '' } = statement.analysis;
  const { success, error } = answer;
  if (command === 'commit') {
    const { announcement } = statement;
    if (announcement) audience.protocol.conclude(announcement, outcomeOf(answer));
    // Without an answer it may still be open: a later COMMIT announces it once more.
    if (isAnswered(answer)) endTransaction(session, audience);
  }
  if (!success) return closeUnended(session, statement, error, audience);
  if (command === 'rollback') endTransaction(session, audience);
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
  audience: Audience,
): void {
  const isRollback = analysis?.kind === 'transaction' && analysis.command === 'rollback';
  if (!isRollback || isAnswered({ error })) return;
  session.close();
  endTransaction(session, audience);
}

function outcomeOf({ success, rawResults, error }: StatementAnswer) {
  if (!success) return outcomeOfFailure(sqlStateOf(error));
  return outcomeOfAnswer((rawResults as { command?: string } | undefined)?.command);
}

function endTransaction(session: ConnectionSession, { schema }: Audience): void {
  // What was loaded since the statement was still the catalogue from before it.
  if (session.hasChangedSchema) schema.markOutdated();
  session.endTransaction();
}
