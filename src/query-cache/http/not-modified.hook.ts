import type { FastifyInstance, FastifyReply } from 'fastify';

const NOT_MODIFIED = Symbol('tidemark:not-modified');

type MarkedReply = FastifyReply & { [NOT_MODIFIED]?: true };

/** Makes the reply a 304 without a body. */
export function markNotModified(reply: FastifyReply): void {
  (reply as MarkedReply)[NOT_MODIFIED] = true;
}

/**
 * Turns marked replies into 304 (RFC 9110 section 15.4.5). Nest sets the route's own status after
 * all interceptors have run, so the status can be changed only when the reply is sent.
 */
export function addNotModifiedHook(server: FastifyInstance): void {
  server.addHook('onSend', (_request, reply: MarkedReply, payload, done) => {
    if (!reply[NOT_MODIFIED]) {
      done(null, payload);
      return;
    }
    reply.code(304).removeHeader('content-length').removeHeader('content-type');
    // Not `null`: the handler that Fastify makes for HEAD takes that for a stream.
    done(null, '');
  });
}
