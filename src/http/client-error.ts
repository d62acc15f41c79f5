import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { MAX_URL_LENGTH } from './limits.js';
import { PROBLEM_MEDIA_TYPE, toDocument, type Problem } from './problem-document.js';

/** By the error code of Node's HTTP parser. */
const PROBLEMS: Readonly<Record<string, Problem>> = {
  HPE_HEADER_OVERFLOW: { status: 431, detail: 'The headers are too long: send fewer or shorter.' },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    detail: 'The request did not arrive in time: send it again.',
  },
};
const UNREADABLE: Problem = { status: 400, detail: 'This is no HTTP/1.1 request.' };
const URL_TOO_LONG: Problem = {
  status: 414,
  detail: `The URL is longer than ${MAX_URL_LENGTH} characters: send a shorter one.`,
};
const UNKNOWN_METHOD: Problem = { status: 501, detail: 'There is no such method in HTTP.' };
const NO_TUNNEL: Problem = { status: 501, detail: 'The service opens no tunnels: it is no proxy.' };

/** How long a client may keep a refused connection open. */
const LINGER_MS = 1_000;

/** `rawPacket`: the bytes that were read last, which contain the fault. */
type ClientError = Error & { readonly code?: string; readonly rawPacket?: unknown };

/** Answers bytes that are not a valid request, for which neither a route nor a hook runs. */
export function answerClientError(error: ClientError, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy(error);
  else answerRaw(problemOf(error), socket);
}

/** Answers CONNECT, for which Node creates no request and response. */
export function refuseTunnel(_request: unknown, socket: Duplex): void {
  socket.on('error', () => socket.destroy());
  answerRaw(NO_TUNNEL, socket);
}

function problemOf({ code = '', rawPacket }: ClientError): Problem {
  const packet = Buffer.isBuffer(rawPacket) ? rawPacket.toString('latin1') : '';
  const [line = ''] = packet.split('\r\n', 1);
  if (code === 'HPE_HEADER_OVERFLOW' && line.length > MAX_URL_LENGTH && /^[A-Z-]+ /.test(line)) {
    return URL_TOO_LONG;
  }
  if (code === 'HPE_INVALID_METHOD' && /^[A-Z-]+ \S+ HTTP\/1\.[01]$/.test(line)) {
    return UNKNOWN_METHOD;
  }
  return PROBLEMS[code] ?? UNREADABLE;
}

function answerRaw(problem: Problem, socket: Duplex): void {
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
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}
