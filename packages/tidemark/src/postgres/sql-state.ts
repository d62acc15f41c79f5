/**
 * The SQLSTATE of an error that the server itself reported; `undefined` for any other. Errors of
 * the operating system have a `code` too (`EPIPE`), but no severity.
 */
export function sqlStateOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  if (!('code' in error) || !('severity' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** The server shuts down or has crashed, or has ended the session for standing idle or a transaction for its length. */
const SESSION_ENDS = /^(57P0\d|25P0[34])$/;

/** Whether nothing can be sent over a connection any more after the error: without a report its state is not known. */
export function endsSession(error: unknown): boolean {
  const sqlState = sqlStateOf(error);
  return sqlState === undefined || SESSION_ENDS.test(sqlState);
}
