/**
 * Checks whether Fastify would send a body exactly as `JSON.stringify` encodes it. Fastify has no public access to the
 * hooks and serializers of a route, so they are found by the descriptions of its symbols. If they are not found, the
 * result is no.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';

/** The parts of Fastify's record of a route that affect the body. */
export interface RouteRecord {
  readonly preSerialization: readonly Function[] | null;
  readonly onSend: readonly Function[] | null;
  readonly schema?: { readonly response?: unknown } | null;
}

/** Fastify's hook for HEAD, which omits the body and sets its length. */
const HEAD_HOOK = 'bound headRouteOnSendHandler';

const JSON_TYPE = /^[a-z]+\/([a-z0-9.!#$&^_-]+\+)?json *(; *charset=[^;]+)?$/;

const symbols = new Map<string, symbol>();

/** The record of the route, the same for all its requests. */
export function routeRecordOf(request: FastifyRequest): RouteRecord | undefined {
  return hidden(request, 'fastify.context') as RouteRecord | undefined;
}

/** Whether no hook, serializer or response schema of the route sees the body. */
export function isPlainRoute(record: RouteRecord): boolean {
  return (
    hidden(record, 'fastify.replySerializerDefault') === null &&
    record.preSerialization === null &&
    (record.onSend ?? []).every(({ name }) => name === HEAD_HOOK) &&
    !record.schema?.response
  );
}

/** Whether this reply has neither a serializer nor headers that describe another body. */
export function isPlainReply(reply: FastifyReply): boolean {
  const type: unknown = reply.getHeader('content-type');
  return (
    hidden(reply, 'fastify.reply.serializer') === null &&
    !reply.hasHeader('etag') &&
    !reply.hasHeader('content-encoding') &&
    (type === undefined || (typeof type === 'string' && JSON_TYPE.test(type)))
  );
}

function hidden(holder: object, description: string): unknown {
  const symbol =
    symbols.get(description) ??
    Object.getOwnPropertySymbols(holder).find((own) => own.description === description);
  if (!symbol) return undefined;
  symbols.set(description, symbol);
  return (holder as Readonly<Record<symbol, unknown>>)[symbol];
}
