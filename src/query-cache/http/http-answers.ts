import { NotFoundException, type ExecutionContext } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { CacheReader, JsonOutcome, ValueOutcome } from '../cache-reader.js';
import { UnencodableValueError } from '../core/value-codec.js';
import { BoundQuery } from '../define-query.js';
import type { CacheableQuery } from '../sql/compiled-query.js';
import {
  setAnswerHeaders,
  setCacheHeaders,
  setFailedStatus,
  setJsonType,
} from './cache-headers.js';
import { addHeader } from './combined-headers.js';
import { EncodingChoice } from './content-encoding.js';
import { entityTag, matchingTag, tagOf } from './entity-tag.js';
import type { FastifyBodies } from './fastify-body.js';
import { hasPreconditions, requireMatch, requireNoMatch } from './preconditions.js';
import type { CacheQueryOptions, Routes } from './routes.js';

/** Answers requests with queries: what the reply says, and what is sent or given to interceptors. */
export class HttpAnswers {
  readonly #encodings = new EncodingChoice();
  /** Definitions of queries that have answered a value which is not sent as JSON. */
  readonly #notJson = new WeakSet<object>();

  constructor(
    private readonly reader: CacheReader,
    private readonly routes: Routes,
    private readonly bodies: FastifyBodies,
  ) {}

  /**
   * Resolves with the stored bytes where nothing else in the application sees or encodes the answer of the route;
   * everywhere else with values of this request's own, which Nest sends as it sends those of any handler. Sets the
   * reply's headers. Rejects with what the query rejects with, NotFoundException where a query for one row has
   * none, or PreconditionFailedException.
   */
  answer(query: CacheableQuery, context: ExecutionContext): Promise<unknown> {
    const { lifetime, sendsAnswer } = this.routes.of(context.getClass(), context.getHandler());
    const [request, reply] = context.getArgs<[FastifyRequest, FastifyReply]>();
    const isJson = !(query instanceof BoundQuery && this.#notJson.has(query.definition));
    return isJson && sendsAnswer && this.bodies.areSentAsJson(request, reply)
      ? this.#answerBytes(query, lifetime, request, reply)
      : this.#answerValue(query, lifetime, reply);
  }

  /**
   * Without an entity tag, since it is not known which bytes are sent: a 304 could be for others than those that the
   * client holds.
   */
  async #answerValue(
    query: CacheableQuery,
    lifetime: CacheQueryOptions,
    reply: FastifyReply,
  ): Promise<unknown> {
    let answer: ValueOutcome;
    try {
      answer = await this.reader.readValue(query, lifetime);
    } catch (error) {
      setFailedStatus(reply);
      throw error;
    }
    describe(answer.outcome, query, reply, Date.now());
    return answer.value;
  }

  /** Sets the status to 304 where the client holds the answer (RFC 9110 section 15.4.5): GET and HEAD alone. */
  async #answerBytes(
    query: CacheableQuery,
    lifetime: CacheQueryOptions,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<unknown> {
    let outcome: JsonOutcome;
    try {
      outcome = await this.reader.readJson(query, lifetime);
    } catch (error) {
      if (error instanceof UnencodableValueError && query instanceof BoundQuery) {
        this.#notJson.add(query.definition);
        return this.#answerValue(query, lifetime, reply);
      }
      setFailedStatus(reply);
      throw error;
    }
    addHeader(reply, 'vary', 'Accept-Encoding');
    describe(outcome, query, reply, Date.now());
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (hasPreconditions(request.headers)) checkConditions(request, outcome, isRead);
    setJsonType(reply);
    if (outcome.source === 'bypass') return outcome.answer.body;
    const { entry } = outcome;
    const wanted = this.#encodings.of(request.headers['accept-encoding']);
    const variant = wanted === 'identity' ? undefined : await entry.variant(wanted);
    const encoding = variant ? wanted : 'identity';
    const body = variant ?? entry.content;
    const held = isRead
      ? matchingTag(request.headers['if-none-match'], entry.tag, encoding)
      : undefined;
    void reply.header('etag', held ?? entityTag(entry.tag, encoding));
    if (held === undefined) {
      if (variant) void reply.header('content-encoding', encoding);
      return body;
    }
    reply.code(304);
    // The length that Fastify tells for HEAD must be that of the answer which is not sent.
    if (request.method === 'HEAD') return body;
    reply.removeHeader('content-type');
    return undefined;
  }
}

/**
 * A handler for another method than GET and HEAD may have written before it returned its query, so that `If-Match` and
 * `If-None-Match: *` would be held against what it has made: such a handler checks them itself (checkPreconditions).
 *
 * @throws PreconditionFailedException
 */
function checkConditions({ headers }: FastifyRequest, outcome: JsonOutcome, isRead: boolean): void {
  const tag = outcome.source === 'bypass' ? tagOf(outcome.answer.body) : outcome.entry.tag;
  if (isRead) requireMatch(headers, tag);
  else if (headers['if-none-match']?.trim() !== '*') requireNoMatch(headers, tag);
}

/** @throws NotFoundException where a query for one row has none. */
function describe(
  outcome: JsonOutcome,
  query: CacheableQuery,
  reply: FastifyReply,
  nowMs: number,
): void {
  setCacheHeaders(reply, outcome, nowMs);
  const { empty } = outcome.source === 'bypass' ? outcome.answer : outcome.entry;
  if (empty && query instanceof BoundQuery && query.shape === 'one') {
    throw new NotFoundException(query.absent?.() ?? 'There is no such resource.');
  }
  setAnswerHeaders(reply, outcome, nowMs);
}
