/** The known outcome of a transaction after COMMIT was sent. */
export type CommitOutcome = 'committed' | 'rolled-back' | 'unknown';

/**
 * SQLSTATE classes with which PostgreSQL refuses a COMMIT because of the transaction's statements: the transaction was
 * rolled back. After any other failure (a lost connection, a server shutting down, an exhausted resource) the outcome
 * is unknown.
 */
const ROLLBACK_CLASSES: ReadonlySet<string> = new Set(['22', '23', '25', '40', '42', '55', 'P0']);
const STATEMENT_COMPLETION_UNKNOWN = '40003';

/** @param command the command tag of the answer: in a failed transaction COMMIT is answered with ROLLBACK. */
export function outcomeOfAnswer(command: string | undefined): CommitOutcome {
  if (command === 'COMMIT') return 'committed';
  return command === 'ROLLBACK' ? 'rolled-back' : 'unknown';
}

export function outcomeOfFailure(sqlState: string | undefined): CommitOutcome {
  if (sqlState === undefined || sqlState === STATEMENT_COMPLETION_UNKNOWN) return 'unknown';
  return ROLLBACK_CLASSES.has(sqlState.slice(0, 2)) ? 'rolled-back' : 'unknown';
}
