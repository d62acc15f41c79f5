/** Problem documents (RFC 9457): the form of every error answer of the service. */
import { STATUS_CODES } from 'node:http';
import { z } from 'zod';

const MAX_DETAIL_LENGTH = 1_000;
export const MAX_PATH_LENGTH = 200;

export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

/** A field of a request with an unacceptable value. */
export const fieldProblem = z.object({
  field: z.string().describe('Path of the field, such as `users.3.email`'),
  problem: z.string().describe('What is wrong with it'),
  remedy: z.string().describe('What to do about it'),
});
export type FieldProblem = z.output<typeof fieldProblem>;

export const problemDocument = z.object({
  type: z.string().describe('Stable name of the kind of problem, a URN'),
  title: z.string().describe('The kind of problem in words'),
  status: z.int().describe('The HTTP status'),
  detail: z.string().describe('What went wrong this time'),
  instance: z.string().describe('Path of the request'),
  requestId: z.string().describe('The request in the log, also in `X-Request-Id`'),
  errors: z.array(fieldProblem).optional().describe('The fields at fault'),
});
export type ProblemDocument = z.output<typeof problemDocument>;

/** A problem, not yet assigned to a request. */
export interface Problem {
  readonly status: number;
  readonly detail: string;
  /** Last part of the type; derived from the status by default. */
  readonly kind?: string;
  readonly errors?: readonly FieldProblem[] | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

export function toDocument(
  problem: Problem,
  request: { readonly id: string; readonly url: string },
): ProblemDocument {
  const title = STATUS_CODES[problem.status] ?? 'Error';
  const kind = problem.kind ?? title.toLowerCase().replaceAll(/[^a-z]+/g, '-');
  return {
    type: `urn:tidemark:problem:${kind}`,
    title,
    status: problem.status,
    detail: cut(problem.detail, MAX_DETAIL_LENGTH),
    instance: cut(pathOf(request.url), MAX_PATH_LENGTH),
    requestId: request.id,
    ...(problem.errors?.length && { errors: [...problem.errors] }),
  };
}

/** Shortens a text from a request, which must not make its answer long. */
export function cut(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  // Does not split a character of two code units.
  return `${text.slice(0, maxLength - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

/** The path alone: query strings may hold private data. */
export function pathOf(url: string): string {
  return url.split(/[?#]/, 1)[0] ?? '';
}
