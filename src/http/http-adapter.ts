import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { answerClientError } from './client-error.js';
import { BODY_LIMIT_BYTES, KEEP_ALIVE_TIMEOUT_MS, REQUEST_TIMEOUT_MS } from './limits.js';
import { problemOfError } from './problem-of-error.js';
import { sendProblem } from './problem.filter.js';
import { securityHeaders } from './security-headers.js';

const REQUEST_ID_HEADER = 'x-request-id';
/** Short, and without characters that could break a log line or a header. */
const PLAIN_ID = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/;

/** Fastify, configured for the service. */
export function createHttpAdapter(): FastifyAdapter {
  return new FastifyAdapter({
    logger: false,
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    // A client is identified by its connection alone; headers can be forged.
    trustProxy: false,
    forceCloseConnections: 'idle',
    // request-check.ts refuses missing and repeated Host headers with a problem document.
    http: { requireHostHeader: false, joinDuplicateHeaders: true },
    rewriteUrl: targetOf,
    // While the service stops, requests on open connections are answered, not refused.
    return503OnClosing: false,
    clientErrorHandler: answerClientError,
    genReqId: requestIdOf,
    // Errors of the router occur before any hook.
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => {
      setEdgeHeaders(request, reply);
      sendProblem(problemOfError(error), request, reply);
    },
  });
}

/** Sets the headers of every answer. */
export function setEdgeHeaders({ url, id }: FastifyRequest, reply: FastifyReply): void {
  const { ofData, ofPage } = securityHeaders;
  void reply.headers(url.startsWith('/docs') ? ofPage : ofData).header(REQUEST_ID_HEADER, id);
}

/** The id of the request if it has a plain one, otherwise a new id. */
function requestIdOf({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers[REQUEST_ID_HEADER];
  return typeof given === 'string' && PLAIN_ID.test(given) ? given : randomUUID();
}

/** The target in the form of the routes: a client may send a whole URL (RFC 9112 section 3.2.2). */
function targetOf({ url = '/' }: { url?: string | undefined }): string {
  if (url.startsWith('/')) return url;
  const target = url.replace(/^https?:\/\/[^/?#]*/i, '');
  return target === '' || target.startsWith('?') ? `/${target}` : target;
}
