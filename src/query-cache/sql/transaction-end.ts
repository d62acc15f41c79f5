/**
 * The end of a transaction that the cache has opened over a connection of the pool.
 *
 * Only an answer of the server proves that a transaction has ended. A statement that node-postgres gave up
 * (`query_timeout`) still runs, and a ROLLBACK behind it may never be sent. A connection that went back to
 * the pool like this would never commit what is sent over it next, or would read an old snapshot. It is
 * closed instead: the server then rolls back, and the pool opens another.
 */
import { sqlStateOf } from '../core/sql-state.js';

/** The part of a node-postgres client that is used here. */
interface Client {
  getTransactionStatus(): string | null;
  /** `false` while the server works on a statement; not there where the client is native. */
  readonly readyForQuery?: boolean;
  end(): Promise<void>;
  listenerCount(event: 'error'): number;
  emit(event: 'error', error: Error): unknown;
}

/**
 * Rolls the open transaction back, or closes the connection. Never rejects.
 *
 * @param cause the failure for which it is rolled back, if there was one
 * @param send sends the ROLLBACK
 */
export async function rollBack(
  connection: unknown,
  cause: unknown,
  send: () => Promise<unknown>,
): Promise<void> {
  const client = connection as Client;
  const isGivenUp =
    cause !== undefined && sqlStateOf(cause) === undefined && client.readyForQuery === false;
  if (!isGivenUp && (await succeeds(send)) && client.getTransactionStatus() === 'I') return;
  closeConnection(client);
}

/** Closes a connection whose state is not known. Its pool and its query runner hear of it as of a lost one. */
export function closeConnection(connection: unknown): void {
  const client = connection as Client;
  void succeeds(() => client.end());
  const error = new Error('The connection was closed: how its transaction has ended is not known.');
  if (client.listenerCount('error') > 0) client.emit('error', error);
}

async function succeeds(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch {
    return false;
  }
}
