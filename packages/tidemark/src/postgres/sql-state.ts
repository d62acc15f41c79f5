/**
 * The SQLSTATE of an error that the server itself reported; `undefined` for any other error. Errors of the operating
 * system have a `code` too (`EPIPE`), but no severity.
 */
export function sqlStateOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  if (!('code' in error) || !('severity' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** The server shuts down, has crashed, or has ended the session because of an idle or transaction timeout. */
const SESSION_ENDS = /^(57P0\d|25P0[34])$/;

/** Whether the connection is unusable after the error: without a report from the server its state is unknown. */
export function endsSession(error: unknown): boolean {
  const sqlState = sqlStateOf(error);
  return sqlState === undefined || SESSION_ENDS.test(sqlState);
}
