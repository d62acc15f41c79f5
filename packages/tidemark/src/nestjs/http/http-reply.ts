/** Port over an HTTP adapter. The types are structural, so that no adapter has to be installed. */
import type { IncomingHttpHeaders } from 'node:http';

export interface HttpRequest {
  readonly headers: IncomingHttpHeaders;
  readonly method: string;
}

/** The methods that a reply of Fastify and a response of Express have in common. */
export interface HttpReply {
  readonly statusCode: number;
  getHeader(name: string): number | string | readonly string[] | undefined;
  hasHeader(name: string): boolean;
  removeHeader(name: string): unknown;
  header(name: string, value: string): unknown;
  status(code: number): unknown;
}

/** How an adapter treats the body of a reply. */
export interface ReplyBodies {
  /** An object that is the same for all requests of a route and differs between routes. */
  routeOf(request: HttpRequest): object | undefined;
  /** Whether the adapter sends what `JSON.stringify` returns for an answer of the route, and no other code sees it. */
  isPlainRoute(route: object): boolean;
  /** The same for this reply. */
  isPlainReply(reply: HttpReply): boolean;
  /** Whether the adapter sends a value with this JSON text as JSON. */
  sendsAsJson(body: Buffer | string): boolean;
  /** Whether other code may still compress the body: its bytes then differ from those that the cache hands over. */
  mayCompress(reply: HttpReply): boolean;
  /** Sends the bytes as they are; absent: the adapter does so itself. */
  readonly send?: (reply: HttpReply, bytes: Buffer | string | undefined) => unknown;
}

/** The bytes of an answer, complete with the headers of the reply. */
export class ReadyBytes {
  constructor(readonly bytes: Buffer | string | undefined) {}
}

/** Headers that describe another body than the JSON of the answer. */
export function describesOtherBody(reply: HttpReply, jsonType: RegExp): boolean {
  const type = reply.getHeader('content-type');
  return (
    reply.hasHeader('etag') ||
    reply.hasHeader('content-encoding') ||
    (type !== undefined && !(typeof type === 'string' && jsonType.test(type)))
  );
}
