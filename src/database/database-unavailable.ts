import { types } from 'node:util';
import { QueryFailedError, QueryRunnerAlreadyReleasedError } from 'typeorm';

const NETWORK_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

/**
 * Of PostgreSQL: shutting down, crashed, starting up, too many connections, a standby; and what was ended for taking
 * too long: a statement, a transaction, a session, the wait for a lock.
 */
const SERVER_CODES = new Set(
  '57P01 57P02 57P03 53300 25006 57014 25P03 25P04 57P05 55P03'.split(' '),
);
const CONNECTION_EXCEPTION_CLASS = '08';

/** node-postgres gives these no code. */
const CLIENT_MESSAGES =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Client was closed|Cannot use a pool after calling end)/;

/** Whether an error says that the database cannot be reached at the moment. */
export function isDatabaseUnavailable(error: unknown): boolean {
  const cause = error instanceof QueryFailedError ? (error.driverError as unknown) : error;
  if (!types.isNativeError(cause)) return false;
  // TypeORM releases a query runner whose connection is lost between two of its statements.
  if (cause instanceof QueryRunnerAlreadyReleasedError) return true;
  const { code } = cause as { code?: unknown };
  if (typeof code === 'string') {
    if (NETWORK_CODES.has(code) || SERVER_CODES.has(code)) return true;
    if (code.length === 5 && code.startsWith(CONNECTION_EXCEPTION_CLASS)) return true;
  }
  return CLIENT_MESSAGES.test(cause.message);
}
