import { Injectable, NotFoundException, type ExecutionContext } from '@nestjs/common';
import { ApplicationConfig, ModuleRef, Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { CacheReader, JsonOutcome, ValueOutcome } from '../cache-reader.js';
import { QueryCaches } from '../query-caches.js';
import { UnencodableValueError } from '../../typeorm/answers/value-codec.js';
import { BoundQuery } from '../../typeorm/queries/bound-query.js';
import type { CacheableQuery } from '../../typeorm/queries/compiled-query.js';
import {
  addHeader,
  FAILED_STATUS,
  secondsBetween,
  setJsonType,
  statusOf,
} from './cache-headers.js';
import { encodingFor } from './content-encoding.js';
import { entityTag, matchingTag, tagOf } from './entity-tag.js';
import { isPlainReply, isPlainRoute, routeRecordOf } from './fastify-body.js';
import { requireMatch } from './preconditions.js';
import {
  CACHE_QUERY_OPTIONS,
  interceptorsOf,
  isLeavingBody,
  makesOtherResponse,
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
  /** By Fastify's record of the route. */
  readonly #routes = new WeakMap<object, Route>();
  /** Query definitions that have returned a value which is not sent as JSON. */
  readonly #notJson = new WeakSet<object>();

  constructor(
    private readonly caches: QueryCaches,
    moduleRef: ModuleRef,
  ) {
    // Nest does not inject its list of global interceptors.
    this.config = moduleRef['container'].applicationConfig ?? new ApplicationConfig();
  }

  /**
   * Resolves with the stored bytes if no other code of the application sees or encodes the answer of the route.
   * Otherwise resolves with values for this request alone, which Nest sends like those of any handler. Values get no
   * entity tag: the bytes that will be sent are unknown, so a 304 could confirm different bytes.
   *
   * Rejects with the error of the query, NotFoundException if a query for one row finds none, or
   * PreconditionFailedException.
   */
  async answer(query: CacheableQuery, context: ExecutionContext): Promise<unknown> {
    const [request, reply] = context.getArgs<[FastifyRequest, FastifyReply]>();
    const { lifetime, sendsBytes } = this.#routeOf(request, context);
    const reader = this.caches.readerOf(query);
    const wantsBytes = sendsBytes && reader.isEnabled && isPlainReply(reply);
    const reading = this.#read(reader, query, lifetime, wantsBytes);
    const answer = await reading.catch((error: unknown) => {
      addHeader(reply, 'cache-status', FAILED_STATUS);
      throw error;
    });
    if ('outcome' in answer) {
      describe(answer.outcome, query, reply);
      return answer.value;
    }
    addHeader(reply, 'vary', 'Accept-Encoding');
    describe(answer, query, reply);
    return send(answer, request, reply);
  }

  #routeOf(request: FastifyRequest, context: ExecutionContext): Route {
    const record = routeRecordOf(request);
    const known = record && this.#routes.get(record);
    if (known) return known;
    const controller = context.getClass();
    const method = context.getHandler();
    const sendsBytes =
      record !== undefined &&
      isPlainRoute(record) &&
      !makesOtherResponse(method) &&
      interceptorsOf(controller, method, this.config).every(isLeavingBody);
    const targets = [controller, method];
    const lifetime = new Reflector().getAllAndMerge<CacheQueryOptions>(
      CACHE_QUERY_OPTIONS,
      targets,
    );
    const route = { lifetime, sendsBytes };
    if (record) this.#routes.set(record, route);
    return route;
  }

  /** Returns values if bytes are not wanted or the value is not sent as JSON. */
  async #read(
    reader: CacheReader,
    query: CacheableQuery,
    lifetime: CacheQueryOptions,
    wantsBytes: boolean,
  ): Promise<JsonOutcome | ValueOutcome> {
    const { definition, forCaller } = query instanceof BoundQuery ? query : NO_DEFINITION;
    if (wantsBytes && !forCaller && !(definition && this.#notJson.has(definition))) {
      try {
        return await reader.readJson(query, lifetime);
      } catch (error) {
        if (!definition || !(error instanceof UnencodableValueError)) throw error;
        this.#notJson.add(definition);
      }
    }
    return reader.readValue(query, lifetime);
  }
}

/**
 * The bytes to send, in the best coding; 304 if the client of a GET or HEAD has them (RFC 9110 section 15.4.5). A
 * handler for another method may write before it returns its query, so it must check conditions itself
 * (checkPreconditions).
 *
 * @throws PreconditionFailedException
 */
async function send(
  outcome: JsonOutcome,
  { headers, method }: FastifyRequest,
  reply: FastifyReply,
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
  void reply.header('etag', held ?? entityTag(entry.tag, encoding));
  if (held !== undefined) {
    reply.code(304);
    // For HEAD, Fastify sets the length of the answer, which it does not send.
    if (method === 'HEAD') return variant ?? entry.content;
    reply.removeHeader('content-type');
    return undefined;
  }
  if (variant) void reply.header('content-encoding', encoding);
  return variant ?? entry.content;
}

/** @throws NotFoundException if a query for one row finds none. */
function describe(outcome: JsonOutcome, query: CacheableQuery, reply: FastifyReply): void {
  const nowMs = Date.now();
  const isDisabled = outcome.source === 'bypass' && outcome.reason === 'disabled';
  if (!isDisabled) addHeader(reply, 'cache-control', 'private, no-cache');
  addHeader(reply, 'cache-status', statusOf(outcome, nowMs));
  const { empty, headers } = outcome.source === 'bypass' ? outcome.answer : outcome.entry;
  if (empty && query instanceof BoundQuery && query.shape === 'one') {
    throw new NotFoundException(query.absent?.() ?? 'There is no such resource.');
  }
  void reply.headers(headers);
  if (outcome.source !== 'bypass' && !reply.hasHeader('age')) {
    void reply.header('age', String(secondsBetween(outcome.entry.createdAtMs, nowMs)));
  }
}
