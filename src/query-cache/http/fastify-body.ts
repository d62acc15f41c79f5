/** Whether Fastify would send a body as `JSON.stringify` makes it. */
import type { FastifyReply, FastifyRequest } from 'fastify';

/** The parts of Fastify's own record of a route that decide on the body. */
interface RouteRecord {
  readonly preSerialization: readonly Function[] | null;
  readonly onSend: readonly Function[] | null;
  readonly schema?: { readonly response?: unknown } | null;
}

type WithSymbols = Readonly<Record<symbol, unknown>>;

/** Fastify's hook that leaves the body out for HEAD, and tells its length. */
const HEAD_HOOK = 'bound headRouteOnSendHandler';

/** Headers with which a route describes bytes of its own. */
const DESCRIPTIONS = ['etag', 'content-encoding'];

const JSON_TYPE = /^[a-z]+\/([a-z0-9.!#$&^_-]+\+)?json *(; *charset=[^;]+)?$/;

/**
 * Fastify has no public way to ask which hooks and serialisers a route has, so its record of the route is
 * found by the description of a symbol. Where that is not found, the answer is no.
 */
export class FastifyBodies {
  readonly #known = new WeakMap<object, boolean>();
  #recordSymbol: symbol | undefined;
  #serializerSymbol: symbol | undefined;

  /** No where a hook, a serialiser or a response schema sees the body, or headers describe another one. */
  areSentAsJson(request: FastifyRequest, reply: FastifyReply): boolean {
    return (
      this.#isPlainRoute(request) &&
      this.#hasNoSerializer(reply) &&
      DESCRIPTIONS.every((name) => reply.getHeader(name) === undefined) &&
      isJson(reply.getHeader('content-type'))
    );
  }

  #isPlainRoute(request: FastifyRequest): boolean {
    this.#recordSymbol ??= symbolOf(request, 'fastify.context');
    const record = this.#recordSymbol && (request as unknown as WithSymbols)[this.#recordSymbol];
    if (typeof record !== 'object' || record === null) return false;
    let isPlain = this.#known.get(record);
    if (isPlain === undefined) {
      isPlain = isPlainRecord(record as RouteRecord);
      this.#known.set(record, isPlain);
    }
    return isPlain;
  }

  #hasNoSerializer(reply: FastifyReply): boolean {
    this.#serializerSymbol ??= symbolOf(reply, 'fastify.reply.serializer');
    return (
      this.#serializerSymbol !== undefined &&
      (reply as unknown as WithSymbols)[this.#serializerSymbol] === null
    );
  }
}

function isPlainRecord(record: RouteRecord): boolean {
  const serializer = symbolOf(record, 'fastify.replySerializerDefault');
  const hooks = record.onSend?.filter(({ name }) => name !== HEAD_HOOK) ?? [];
  return (
    serializer !== undefined &&
    !(record as unknown as WithSymbols)[serializer] &&
    hooks.length === 0 &&
    record.preSerialization === null &&
    !record.schema?.response
  );
}

function symbolOf(holder: object, description: string): symbol | undefined {
  return Object.getOwnPropertySymbols(holder).find((symbol) => symbol.description === description);
}

function isJson(type: unknown): boolean {
  return type === undefined || (typeof type === 'string' && JSON_TYPE.test(type));
}
