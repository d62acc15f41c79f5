import { types } from 'node:util';
import { QueryFailedError, QueryRunnerAlreadyReleasedError } from 'typeorm';

/**
 * Codes of the network, and of PostgreSQL: shutting down, crashed, starting up, too many connections, a standby; and
 * limits reached by a statement, a transaction, a session or the wait for a lock.
 */
const CODES = new Set(
  (
    'ECONNREFUSED ECONNRESET EPIPE ETIMEDOUT EHOSTUNREACH ENETUNREACH ENOTFOUND EAI_AGAIN ' +
    '57P01 57P02 57P03 53300 25006 57014 25P03 25P04 57P05 55P03'
  ).split(' '),
);
const CONNECTION_EXCEPTION = /^08...$/;

/** node-postgres sets no code on these errors. */
const CLIENT_MESSAGES =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Client was closed|Cannot use a pool after calling end)/;

/** Whether an error means that the database is unavailable. */
export function isDatabaseUnavailable(error: unknown): boolean {
  const cause = error instanceof QueryFailedError ? (error.driverError as unknown) : error;
  if (!types.isNativeError(cause)) return false;
  // TypeORM releases a query runner whose connection is lost between two of its statements.
  if (cause instanceof QueryRunnerAlreadyReleasedError) return true;
  const { code } = cause as { code?: unknown };
  if (typeof code === 'string' && (CODES.has(code) || CONNECTION_EXCEPTION.test(code))) return true;
  return CLIENT_MESSAGES.test(cause.message);
}
