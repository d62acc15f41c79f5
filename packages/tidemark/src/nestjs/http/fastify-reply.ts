/**
 * Checks whether Fastify would send a body exactly as `JSON.stringify` encodes it. Fastify has no public access to the
 * hooks and serializers of a route, so they are found by the descriptions of its symbols. If they are not found, the
 * result is no.
 */
import { describesOtherBody, type ReplyBodies } from './http-reply.js';

/** The parts of Fastify's record of a route that affect the body. */
interface RouteRecord {
  readonly preSerialization: readonly Function[] | null;
  readonly onSend: readonly Function[] | null;
  readonly schema?: { readonly response?: unknown } | null;
}

/** Fastify's hook for HEAD, which omits the body and sets its length. */
const HEAD_HOOK = 'bound headRouteOnSendHandler';

const JSON_TYPE = /^[a-z]+\/([a-z0-9.!#$&^_-]+\+)?json *(; *charset=[^;]+)?$/;

const symbols = new Map<string, symbol>();

export const FASTIFY: ReplyBodies = {
  routeOf: (request) => hidden(request, 'fastify.context') as RouteRecord | undefined,
  /** Whether no hook, serializer or response schema of the route sees the body. */
  isPlainRoute: (route) => {
    const { preSerialization, onSend, schema } = route as RouteRecord;
    return (
      hidden(route, 'fastify.replySerializerDefault') === null &&
      preSerialization === null &&
      (onSend ?? []).every(({ name }) => name === HEAD_HOOK) &&
      !schema?.response
    );
  },
  isPlainReply: (reply) =>
    hidden(reply, 'fastify.reply.serializer') === null && !describesOtherBody(reply, JSON_TYPE),
  sendsAsJson: () => true,
  // Compression is a hook of the route.
  mayCompress: () => false,
};

function hidden(holder: object, description: string): unknown {
  const symbol =
    symbols.get(description) ??
    Object.getOwnPropertySymbols(holder).find((own) => own.description === description);
  if (!symbol) return undefined;
  symbols.set(description, symbol);
  return (holder as Readonly<Record<symbol, unknown>>)[symbol];
}
