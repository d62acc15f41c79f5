import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { STATUS_CODES } from 'node:http';
import { PROBLEM_MEDIA_TYPE, toDocument, type Problem } from './problem-document.js';

/** What Node's HTTP parser could not read, by its error code. */
const PROBLEMS: Readonly<Record<string, Problem>> = {
  HPE_HEADER_OVERFLOW: { status: 431, detail: 'The headers are too long: send fewer or shorter.' },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    detail: 'The request did not arrive in time: send it again.',
  },
};
const UNREADABLE: Problem = { status: 400, detail: 'This is no HTTP/1.1 request.' };

/** Answers what is no request at all, before there is a route or a hook that could. */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy(error);
    return;
  }
  const problem = PROBLEMS[error.code ?? ''] ?? UNREADABLE;
  const id = randomUUID();
  const body = JSON.stringify(toDocument(problem, { id, url: '' }));
  socket.end(
    [
      `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
      `content-type: ${PROBLEM_MEDIA_TYPE}`,
      `content-length: ${Buffer.byteLength(body)}`,
      `x-request-id: ${id}`,
      'cache-control: no-store',
      'connection: close',
      '',
      body,
    ].join('\r\n'),
  );
}
