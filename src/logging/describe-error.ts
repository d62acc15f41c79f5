import { types } from 'node:util';
import { QueryFailedError } from 'typeorm';

const CREDENTIALS = /(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi;

/** The part of an error that may be logged. */
export interface ErrorDescription {
  readonly name: string;
  readonly code: string | undefined;
  readonly message: string;
  readonly stack: string | undefined;
}

/**
 * Describes an error for the log, without credentials in URLs. Of a failed statement neither text, values nor message
 * are kept, since the messages of PostgreSQL quote the row.
 */
export function describeError(error: unknown): ErrorDescription {
  if (!types.isNativeError(error)) {
    return { name: typeof error, code: undefined, message: 'not an Error', stack: undefined };
  }
  const { name, message, stack } = error;
  const isStatement = error instanceof QueryFailedError;
  const { code } = (isStatement ? error.driverError : error) as { code?: unknown };
  const frames = stack?.split('\n').filter((line) => !isStatement || line.startsWith('    at '));
  return {
    name,
    code: typeof code === 'string' ? code : undefined,
    message: isStatement ? 'a statement failed' : scrub(message),
    stack: frames && scrub(frames.join('\n')),
  };
}

/** Removes user and password from every URL in a text. */
export function scrub(text: string): string {
  return text.replace(CREDENTIALS, '$1***@');
}
