/**
 * Requests and replies of the page on Express and Fastify. Replies are written past Nest, so that interceptors, filters
 * and serializers of the application do not change them.
 */
import type { ServerResponse } from 'node:http';
import { EXPRESS } from '../nestjs/http/express-reply.js';
import type { HttpReply, HttpRequest } from '../nestjs/http/http-reply.js';
import { problemDocument, type PageProblem } from './page-problem.js';

/** What a request of Fastify and one of Express have in common. */
export interface PageRequest extends HttpRequest {
  /** `http` or `https`, as far as the application trusts its proxy. */
  readonly protocol: string;
  /** With the query, before anything has rewritten it. */
  readonly originalUrl: string;
  readonly query: Readonly<Record<string, unknown>>;
  readonly params: Readonly<Record<string, string | undefined>>;
  readonly body: unknown;
}

export interface PageReply extends HttpReply {
  send(body?: string | Buffer): unknown;
  /** Fastify alone. */
  readonly raw?: ServerResponse;
  hijack?(): unknown;
  getHeaders?(): Readonly<Record<string, number | string | string[] | undefined>>;
}

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** On every answer. They replace those of the application, whose policy may forbid the page's own script. */
const HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** The path of the request as it was sent. */
export function pathOf({ originalUrl }: PageRequest): string {
  return originalUrl.split(/[?#]/, 1)[0] ?? '';
}

export function sendAnswer(reply: PageReply, { status, headers, body }: Answer): void {
  reply.status(status);
  for (const [name, value] of Object.entries({ ...HEADERS, ...headers })) reply.header(name, value);
  if (reply.raw) reply.send(body);
  // Express would add an entity tag, and answer 304 by itself.
  else EXPRESS.send?.(reply, body);
}

export function sendJson(reply: PageReply, value: unknown): void {
  const headers = { 'content-type': 'application/json; charset=utf-8' };
  sendAnswer(reply, { status: 200, headers, body: JSON.stringify(value) });
}

export function sendProblem(reply: PageReply, problem: PageProblem, path: string): void {
  sendAnswer(reply, {
    status: problem.status,
    headers: { ...problem.headers, 'content-type': 'application/problem+json; charset=utf-8' },
    body: problemDocument(problem, path),
  });
}

/** Begins an answer without an end, and returns the response that it is written to. */
export function beginStream(reply: PageReply, type: string): ServerResponse {
  const response = reply.raw ?? (reply as unknown as ServerResponse);
  const set = Object.entries(reply.getHeaders?.() ?? {}).filter(([, value]) => value !== undefined);
  reply.hijack?.();
  return response.writeHead(200, {
    ...Object.fromEntries(set),
    ...HEADERS,
    'content-type': type,
    // Compression would hold events back, and so would a proxy that buffers.
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
    // A connection that is kept would hold up the end of the server. HTTP/2 has no such header.
    ...(response.req.httpVersionMajor === 1 && { connection: 'close' }),
  });
}
