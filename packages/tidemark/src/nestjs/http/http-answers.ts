import { Injectable, NotFoundException, type ExecutionContext } from '@nestjs/common';
import { ApplicationConfig, HttpAdapterHost, ModuleRef, Reflector } from '@nestjs/core';
import type { CacheReader, ValueOutcome } from '../cache-reader.js';
import type { JsonOutcome } from '../planned-reads.js';
import type { ReadOptions } from '../lifetime.js';
import { QueryCaches } from '../query-caches.js';
import { UnencodableValueError } from '../../typeorm/answers/value-codec.js';
import { BoundQuery } from '../../typeorm/queries/bound-query.js';
import type { CacheableQuery } from '../../typeorm/queries/compiled-query.js';
import {
  addHeader,
  FAILED_STATUS,
  freshReadOf,
  secondsBetween,
  setJsonType,
  statusOf,
} from './cache-headers.js';
import { encodingFor } from './content-encoding.js';
import { entityTag, matchingTag, tagOf } from './entity-tag.js';
import { replyBodiesOf } from './reply-bodies.js';
import { ReadyBytes, type HttpReply, type HttpRequest, type ReplyBodies } from './http-reply.js';
import { requireMatch } from './preconditions.js';
import {
  CACHE_QUERY_OPTIONS,
  interceptorsOf,
  isLeavingBody,
  makesOtherResponse,
  sendsItself,
  whyNeverSent,
  type CacheQueryOptions,
} from './routes.js';

interface Route {
  /** The options of `@CacheQuery` on the handler, completed by those on the controller. */
  readonly lifetime: CacheQueryOptions;
  /** Whether stored bytes can be sent: no other code sees or encodes the answers. */
  readonly sendsBytes: boolean;
}

const NO_DEFINITION = { definition: undefined, forCaller: undefined };

/** Answers requests with queries: sets headers and status of the reply, and returns its body. */
@Injectable()
export class HttpAnswers {
  readonly config: ApplicationConfig;
  /** By the adapter's record of the route. */
  readonly #routes = new WeakMap<object, Route>();
  /** Query definitions that have returned a value which is not sent as JSON. */
  readonly #notJson = new WeakSet<object>();
  readonly #reflector = new Reflector();
  #bodies: ReplyBodies | undefined;

  constructor(
    private readonly caches: QueryCaches,
    private readonly host: HttpAdapterHost,
    moduleRef: ModuleRef,
  ) {
    // Nest does not inject its list of global interceptors.
    this.config = moduleRef['container'].applicationConfig ?? new ApplicationConfig();
  }

  /**
   * Over HTTP: resolves with ReadyBytes if no other code of the application sees or encodes the answer of the route.
   * Otherwise resolves with values for this request alone, which Nest sends like those of any handler. Values get no
   * entity tag: the bytes that will be sent are unknown, so a 304 could confirm different bytes.
   *
   * Rejects with the error of the query. Over HTTP also with NotFoundException if a query for one row finds none, or
   * with PreconditionFailedException.
   */
  async answer(query: CacheableQuery, context: ExecutionContext): Promise<unknown> {
    const reader = this.caches.readerOf(query);
    if (context.getType() !== 'http') {
      return (await reader.readValue(query, this.#lifetimeOf(context))).value;
    }
    const bodies = (this.#bodies ??= replyBodiesOf(this.host.httpAdapter));
    const [request, reply] = context.getArgs<[HttpRequest, HttpReply]>();
    const { lifetime, sendsBytes } = this.#routeOf(request, context, bodies);
    const fresh = reader.honoursRequestCacheControl
      ? freshReadOf(request.headers['cache-control'])
      : undefined;
    const options = fresh ? { ...lifetime, fresh } : lifetime;
    const wantsBytes = sendsBytes && reader.isEnabled && bodies.isPlainReply(reply);
    const reading = this.#read(reader, query, options, wantsBytes);
    const answer = await reading.catch((error: unknown) => {
      addHeader(reply, 'cache-status', FAILED_STATUS);
      throw error;
    });
    if ('outcome' in answer) {
      describe(answer.outcome, query, options, reply);
      return answer.value;
    }
    addHeader(reply, 'vary', 'Accept-Encoding');
    describe(answer, query, options, reply);
    const body = answer.source === 'bypass' ? answer.answer.body : answer.entry.content;
    if (!bodies.sendsAsJson(body)) return JSON.parse(body.toString());
    return new ReadyBytes(await encode(answer, request, reply, bodies));
  }

  /** @throws Error if Nest does not send what the handler returns. */
  #routeOf(request: HttpRequest, context: ExecutionContext, bodies: ReplyBodies): Route {
    const record = bodies.routeOf(request);
    const known = record && this.#routes.get(record);
    if (known) return known;
    const controller = context.getClass();
    const method = context.getHandler();
    if (sendsItself(controller, method.name)) {
      throw new Error(whyNeverSent([`${controller.name}.${method.name}`]));
    }
    const sendsBytes =
      record !== undefined &&
      bodies.isPlainRoute(record) &&
      !makesOtherResponse(method) &&
      interceptorsOf(controller, method, this.config).every(isLeavingBody);
    const route = { lifetime: this.#lifetimeOf(context), sendsBytes };
    if (record) this.#routes.set(record, route);
    return route;
  }

  #lifetimeOf(context: ExecutionContext): CacheQueryOptions {
    const targets = [context.getClass(), context.getHandler()];
    return this.#reflector.getAllAndMerge<CacheQueryOptions>(CACHE_QUERY_OPTIONS, targets);
  }

  /** Returns values if bytes are not wanted or the value is not sent as JSON. */
  async #read(
    reader: CacheReader,
    query: CacheableQuery,
    options: ReadOptions,
    wantsBytes: boolean,
  ): Promise<JsonOutcome | ValueOutcome> {
    const { definition, forCaller } = query instanceof BoundQuery ? query : NO_DEFINITION;
    if (wantsBytes && !forCaller && !(definition && this.#notJson.has(definition))) {
      try {
        return await reader.readJson(query, options);
      } catch (error) {
        if (!definition || !(error instanceof UnencodableValueError)) throw error;
        this.#notJson.add(definition);
      }
    }
    return reader.readValue(query, options);
  }
}

/**
 * The bytes to send, in the best coding; 304 if the client of a GET or HEAD has them (RFC 9110 section 15.4.5). A
 * handler for another method may write before it returns its query, so it must check conditions itself
 * (checkPreconditions).
 *
 * @throws PreconditionFailedException
 */
async function encode(
  outcome: JsonOutcome,
  { headers, method }: HttpRequest,
  reply: HttpReply,
  bodies: ReplyBodies,
): Promise<Buffer | string | undefined> {
  const isRead = method === 'GET' || method === 'HEAD';
  if (outcome.source === 'bypass') {
    const { body } = outcome.answer;
    if (isRead && headers['if-match'] !== undefined) requireMatch(headers, tagOf(body));
    setJsonType(reply);
    return body;
  }
  const { entry } = outcome;
  if (isRead) requireMatch(headers, entry.tag);
  setJsonType(reply);
  const wanted = encodingFor(headers['accept-encoding']);
  const variant = wanted === 'identity' ? undefined : await entry.variant(wanted);
  const encoding = variant ? wanted : 'identity';
  const held = isRead ? matchingTag(headers['if-none-match'], entry.tag, encoding) : undefined;
  const tag = held ?? entityTag(entry.tag, encoding);
  // A strong tag names exact bytes.
  const isWeak = !variant && entry.isCompressible && bodies.mayCompress(reply);
  reply.header('etag', isWeak ? `W/${tag}` : tag);
  if (held !== undefined) {
    reply.status(304);
    // For HEAD, the adapter sets the length of the answer, which it does not send.
    if (method === 'HEAD') return variant ?? entry.content;
    reply.removeHeader('content-type');
    return undefined;
  }
  if (variant) reply.header('content-encoding', encoding);
  return variant ?? entry.content;
}

/** @throws NotFoundException if a query for one row finds none. */
function describe(
  outcome: JsonOutcome,
  query: CacheableQuery,
  { fresh }: ReadOptions,
  reply: HttpReply,
): void {
  const nowMs = Date.now();
  const isDisabled = outcome.source === 'bypass' && outcome.reason === 'disabled';
  if (!isDisabled) addHeader(reply, 'cache-control', 'private, no-cache');
  addHeader(reply, 'cache-status', statusOf(outcome, nowMs, fresh));
  const { empty, headers } = outcome.source === 'bypass' ? outcome.answer : outcome.entry;
  if (empty && query instanceof BoundQuery && query.shape === 'one') {
    throw new NotFoundException(query.absent?.() ?? 'There is no such resource.');
  }
  for (const name of Object.keys(headers)) reply.header(name, headers[name] ?? '');
  if (outcome.source !== 'bypass' && !reply.hasHeader('age')) {
    reply.header('age', String(secondsBetween(outcome.entry.createdAtMs, nowMs)));
  }
}
