import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { BODY_LIMIT_BYTES, KEEP_ALIVE_TIMEOUT_MS, REQUEST_TIMEOUT_MS } from './limits.js';
import { answerClientError } from './client-error.js';
import { problemOfError } from './problem-of-error.js';
import { sendProblem } from './problem.filter.js';
import { REQUEST_ID_HEADER, requestIdOf } from './request-id.js';

/** Fastify as the service uses it. */
export function createHttpAdapter(): FastifyAdapter {
  return new FastifyAdapter({
    logger: false,
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    // Who asks is told by the connection alone; headers can be made up.
    trustProxy: false,
    forceCloseConnections: 'idle',
    // Missing and repeated Host headers are refused by request-check.ts, with a problem document.
    http: { requireHostHeader: false, joinDuplicateHeaders: true },
    rewriteUrl: targetOf,
    // While the service stops, requests on open connections are answered, not refused.
    return503OnClosing: false,
    clientErrorHandler: answerClientError,
    genReqId: requestIdOf,
    // Errors of the router come before any hook, so they set what hooks would.
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => {
      void reply.headers({
        [REQUEST_ID_HEADER]: request.id,
        'x-content-type-options': 'nosniff',
        'content-security-policy': "default-src 'none'",
      });
      sendProblem(problemOfError(error), request, reply);
    },
  });
}

/** The target as the routes have it: a client may send a whole URL (RFC 9112 section 3.2.2). */
function targetOf({ url = '/' }: { url?: string | undefined }): string {
  if (url.startsWith('/')) return url;
  const target = url.replace(/^https?:\/\/[^/?#]*/i, '');
  return target === '' || target.startsWith('?') ? `/${target}` : target;
}
