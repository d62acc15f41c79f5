import type { WritingTransaction } from '../../../src/core/ports/writer-activity.js';

/** Transactions as PostgreSQL reports them, from their identities by process id. */
export function writingTransactions(
  running: ReadonlyMap<number, string>,
): ReadonlyMap<number, WritingTransaction> {
  return new Map(
    [...running].map(([pid, id]) => [pid, { id, application: `of ${pid}`, since: undefined }]),
  );
}
