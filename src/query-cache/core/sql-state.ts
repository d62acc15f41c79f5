/**
 * The SQLSTATE of an error that the server itself reported; `undefined` for any other. Errors of
 * the operating system have a `code` too (`EPIPE`), but no severity.
 */
export function sqlStateOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  if (!('code' in error) || !('severity' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
