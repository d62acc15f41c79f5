/**
 * The refusal of a write that could not be published to other instances, and was rolled back. The layer above makes the
 * error, so that it can be one of its framework.
 */

/** Stable; identifies the error. */
export const WRITE_REFUSED = 'TIDEMARK_WRITE_REFUSED';

export const WRITE_REFUSED_MESSAGE =
  'The write was refused and nothing was changed: Redis cannot be reached, so the write cannot be ' +
  'published to other instances. Try again later.';

/** Makes the error of a refused write. Its `code` is {@link WRITE_REFUSED}. */
export type RefuseWrite = (cause: unknown) => Error;

export function isWriteRefused(error: unknown): error is Error {
  return error instanceof Error && (error as { code?: unknown }).code === WRITE_REFUSED;
}
