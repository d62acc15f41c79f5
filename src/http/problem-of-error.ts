import { HttpException } from '@nestjs/common';
import { WriteRefusedError } from '@tidemark/nestjs';
import { DatabaseBusyError } from '../database/bounded-driver.js';
import { isDatabaseUnavailable } from '../database/database-unavailable.js';
import { BODY_LIMIT_BYTES } from './limits.js';
import { cut, fieldProblem, type Problem } from './problem-document.js';

const MAX_MESSAGE_LENGTH = 200;

/** The problem that the client gets for an error. It reveals nothing of an unknown error. */
export function problemOfError(error: unknown): Problem {
  if (error instanceof WriteRefusedError) {
    return unavailable('write-refused', error.message, error.retryAfterSeconds);
  }
  if (error instanceof HttpException) return problemOfHttpException(error);
  if (error instanceof DatabaseBusyError) {
    const detail = 'Too many requests wait for the database. Try again later.';
    return unavailable('database-busy', detail, 1);
  }
  if (isDatabaseUnavailable(error)) {
    const detail = 'The database cannot be reached. Try again later.';
    return unavailable('database-unavailable', detail, 5);
  }
  const status = statusOfClientError(error);
  if (status !== undefined) {
    // Some messages repeat a path or a header, which may be long.
    return withHint({ status, detail: cut((error as Error).message, MAX_MESSAGE_LENGTH) });
  }
  return {
    status: 500,
    kind: 'internal',
    detail: 'The service has failed. Its log has the details under the request id.',
  };
}

function unavailable(kind: string, detail: string, retrySeconds: number): Problem {
  return { status: 503, kind, detail, headers: { 'retry-after': String(retrySeconds) } };
}

/** The response of an exception may have `kind`, `errors` and `headers` beside the `message`. */
function problemOfHttpException(exception: HttpException): Problem {
  const status = exception.getStatus();
  const response = exception.getResponse();
  if (typeof response === 'string') return withHint({ status, detail: response });
  const { message, errors, kind, headers } = response as Record<string, unknown>;
  return withHint({
    status,
    detail: typeof message === 'string' ? message : exception.message,
    errors: fieldProblem.array().safeParse(errors).data,
    ...(typeof kind === 'string' && { kind }),
    ...(typeof headers === 'object' && { headers: headers as Record<string, string> }),
  });
}

/** Adds the accepted values, which the messages of the framework omit. */
function withHint(problem: Problem): Problem {
  const hint = hints[problem.status] ?? '';
  const detail = /[.!?]$/.test(problem.detail) ? problem.detail : `${problem.detail}.`;
  return { ...problem, detail: detail + hint };
}

const hints: Readonly<Record<number, string>> = {
  413: ` Send at most ${BODY_LIMIT_BYTES} bytes.`,
  415: ' Send application/json.',
};

/** Errors of Fastify carry the status; their messages are meant for clients. */
function statusOfClientError(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('statusCode' in error) || !('code' in error)) return undefined;
  const { statusCode: status, code } = error;
  if (typeof code !== 'string' || !code.startsWith('FST_')) return undefined;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : undefined;
}
