/** Retries reads shared by many callers when their one connection is lost. */
import { setTimeout as pause } from 'node:timers/promises';
import { types } from 'node:util';
import { QueryFailedError, QueryRunnerAlreadyReleasedError } from 'typeorm';

/** PostgreSQL: ended by an administrator, a crash or idle timeout, or class 08. Node: the socket is closed. */
const ENDED = /^(?:57P01|57P02|57P05|08...|ECONNRESET|EPIPE)$/;
/** node-postgres sets no code on these errors. A timeout message continues after these words. */
const CLIENT_MESSAGES =
  /^(?:Connection terminated(?: unexpectedly)?|Client has encountered a connection error.*|Client was closed.*)$/;
/** Often all connections of the pool end together: the pause lets the pool notice. */
const PAUSE_MS = 20;

/** Whether a statement failed only because its connection was lost. */
export function isConnectionLost(error: unknown): boolean {
  const cause = error instanceof QueryFailedError ? (error.driverError as unknown) : error;
  if (!types.isNativeError(cause)) return false;
  // TypeORM releases a query runner whose connection is lost between two of its statements.
  if (cause instanceof QueryRunnerAlreadyReleasedError) return true;
  const { code } = cause as { code?: unknown };
  return typeof code === 'string' ? ENDED.test(code) : CLIENT_MESSAGES.test(cause.message);
}

/**
 * Runs a read without side effects, and retries it once if its connection is lost: otherwise the loss of one connection
 * would fail every caller that waits for the read.
 *
 * @param read takes a connection from the pool at each call.
 */
export async function overAnotherConnection<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!isConnectionLost(error)) throw error;
  }
  await pause(PAUSE_MS);
  return read();
}
