import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

export const REQUEST_ID_HEADER = 'x-request-id';

/** Short, and without anything that could break a log line or a header. */
const ACCEPTABLE = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/;

/** The request's id: the one that came with it where it is a plain one, else a new one. */
export function requestIdOf(request: Pick<IncomingMessage, 'headers'>): string {
  const given = request.headers[REQUEST_ID_HEADER];
  return typeof given === 'string' && ACCEPTABLE.test(given) ? given : randomUUID();
}
