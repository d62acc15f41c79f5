import { types } from 'node:util';
import { QueryFailedError } from 'typeorm';
import { scrub } from './scrub.js';

/** What may be logged of an error. */
export interface ErrorDescription {
  readonly name: string;
  readonly code: string | undefined;
  readonly message: string;
  readonly stack: string | undefined;
}

/**
 * Describes an error for the log: credentials are taken out of URLs, and of a failed statement
 * neither text nor values are kept, since PostgreSQL's messages quote what was in the row.
 */
export function describeError(error: unknown): ErrorDescription {
  if (!types.isNativeError(error)) {
    return { name: typeof error, code: undefined, message: 'not an Error', stack: undefined };
  }
  const isStatement = error instanceof QueryFailedError;
  const { code } = (isStatement ? error.driverError : error) as { code?: unknown };
  return {
    name: error.name,
    code: typeof code === 'string' ? code : undefined,
    message: isStatement ? 'a statement failed' : scrub(error.message),
    stack: error.stack && scrub(framesOf(error.stack, isStatement)),
  };
}

function framesOf(stack: string, withoutMessage: boolean): string {
  if (!withoutMessage) return stack;
  const frames = stack.split('\n').filter((line) => line.startsWith('    at '));
  return frames.join('\n');
}
