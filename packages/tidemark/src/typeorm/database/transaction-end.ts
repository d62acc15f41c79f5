/**
 * Ends transactions that the cache has opened over a connection of the pool.
 *
 * Only an answer of the server proves that a transaction has ended. A statement that node-postgres gave up
 * (`query_timeout`) still runs, and a ROLLBACK queued behind it may never be sent. Such a connection would never commit
 * the next statements, or would read an old snapshot. So it is closed: the server rolls back, and the pool opens
 * another.
 */
import type { DataSource, QueryRunner } from 'typeorm';
import type { PostgresClient } from '../../postgres/postgres-client.js';
import { sqlStateOf } from '../../postgres/sql-state.js';

/** A stalled process must not keep the locks and the snapshot of its transaction. */
const IDLE_MS = 10_000;

/** The SQL that makes the server end the session once its transaction has been idle for `idleMs`. */
export function idleLimit(idleMs: number = IDLE_MS): string {
  return `SET LOCAL idle_in_transaction_session_timeout = ${idleMs}`;
}

/** Runs `work` in a transaction opened by `begin`, over a connection of the pool to the primary. */
export async function inImplicitTransaction<T>(
  source: DataSource,
  begin: string,
  work: (runner: QueryRunner) => Promise<T>,
): Promise<T> {
  const runner = source.createQueryRunner('master');
  try {
    requireIdle((await runner.connect()) as PostgresClient);
    return await inTransaction(runner, begin, () => work(runner));
  } finally {
    await runner.release();
  }
}

/** Runs `work` in a transaction of the cache over the query runner, which must not be in one. */
export async function inTransaction<T>(
  runner: QueryRunner,
  begin: string,
  work: () => Promise<T>,
): Promise<T> {
  const client = (await runner.connect()) as PostgresClient;
  try {
    await runner.query(begin);
    await client.query(idleLimit());
    const result = await work();
    await runner.query('COMMIT');
    return result;
  } catch (error) {
    await rollBack(client, error, () => runner.query('ROLLBACK'));
    throw error;
  }
}

/**
 * @throws Error if the connection was left in a transaction. It is closed: our COMMIT would commit that transaction.
 */
export function requireIdle(client: PostgresClient): void {
  if (!isInTransaction(client)) return;
  closeConnection(client);
  throw new Error('The connection had been left in a transaction, and was closed: try again.');
}

/** Whether a transaction is open over a connection that was taken from the pool. */
export function isInTransaction(client: PostgresClient): boolean {
  const status = client.getTransactionStatus();
  return status === 'T' || status === 'E';
}

/**
 * Rolls the open transaction back, or closes the connection. Never rejects.
 *
 * @param cause the failure that requires the rollback, if there was one.
 * @param send sends the ROLLBACK.
 */
export async function rollBack(
  client: PostgresClient,
  cause: unknown,
  send: () => Promise<unknown>,
): Promise<void> {
  const isGivenUp =
    cause !== undefined && sqlStateOf(cause) === undefined && client.readyForQuery === false;
  if (!isGivenUp && (await succeeds(send)) && client.getTransactionStatus() === 'I') return;
  closeConnection(client);
}

/** Closes a connection in an unknown state. Its pool and query runner get the error of a lost connection. */
export function closeConnection(client: PostgresClient): void {
  void succeeds(() => client.end());
  const error = new Error('The connection was closed, since its state is not known.');
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
