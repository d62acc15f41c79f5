/** Reads that many wait for, and the loss of the one connection over which they run. */
import { setTimeout as pause } from 'node:timers/promises';
import { types } from 'node:util';
import { QueryFailedError, QueryRunnerAlreadyReleasedError } from 'typeorm';

/** PostgreSQL: ended by an administrator, by a crash, for being idle, or class 08; Node: the socket is gone. */
const ENDED = /^(?:57P01|57P02|57P05|08...|ECONNRESET|EPIPE)$/;
/** node-postgres gives these no code. A timeout has further words behind the first ones. */
const CLIENT_MESSAGES =
  /^(?:Connection terminated(?: unexpectedly)?|Client has encountered a connection error.*|Client was closed.*)$/;
/** Often all connections of the pool end together: meanwhile it hears of them. */
const PAUSE_MS = 20;

/** Whether a statement failed since the connection that it was sent over was lost, and for no other reason. */
export function isConnectionLost(error: unknown): boolean {
  const cause = error instanceof QueryFailedError ? (error.driverError as unknown) : error;
  if (!types.isNativeError(cause)) return false;
  // TypeORM releases a query runner whose connection is lost between two of its statements.
  if (cause instanceof QueryRunnerAlreadyReleasedError) return true;
  const { code } = cause as { code?: unknown };
  return typeof code === 'string' ? ENDED.test(code) : CLIENT_MESSAGES.test(cause.message);
}

/**
 * Runs a read that changes nothing, and once more where its connection is lost: the failure of one connection would
 * else be that of all who wait for the read.
 *
 * @param read takes a connection each time that it is called.
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
