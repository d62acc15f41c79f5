import { NotFoundException } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { CacheReader, JsonOutcome } from '../cache-reader.js';
import { BoundQuery } from '../define-query.js';
import type { CacheableQuery } from '../sql/compiled-query.js';
import { ageOf, FAILED_STATUS, setCacheHeaders, setContentHeaders } from './cache-headers.js';
import { EncodingChoice } from './content-encoding.js';
import { entityTag, matchingTag, tagOf } from './entity-tag.js';
import type { Lifetimes, Route } from './lifetimes.js';
import { hasPreconditions, requireMatch, requireNoMatch } from './preconditions.js';

/** Answers requests with queries: what the reply says, and the bytes that are sent. */
export class HttpAnswers {
  readonly #encodings = new EncodingChoice();

  constructor(
    private readonly reader: CacheReader,
    private readonly lifetimes: Lifetimes,
  ) {}

  /**
   * Sets the reply's headers, and its status where it is 304 (RFC 9110 section 15.4.5): GET and HEAD alone.
   * Resolves with the body; rejects with what the query rejects with, NotFoundException where a query for
   * one row has none, or PreconditionFailedException.
   */
  async answer(
    query: CacheableQuery,
    route: Route,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<Buffer | string | undefined> {
    let outcome: JsonOutcome;
    try {
      outcome = await this.reader.readJson(query, this.lifetimes.of(route));
    } catch (error) {
      void reply.header('cache-status', FAILED_STATUS);
      throw error;
    }
    const nowMs = Date.now();
    setCacheHeaders(reply, outcome, nowMs);
    if (isAbsent(outcome, query)) throw new NotFoundException(absence(query));
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (hasPreconditions(request.headers)) checkConditions(request, outcome, isRead);
    if (outcome.source === 'bypass') {
      setContentHeaders(reply, outcome.answer.headers);
      return outcome.answer.body;
    }
    const { entry } = outcome;
    setContentHeaders(reply, entry.headers);
    void reply.header('age', ageOf(entry, nowMs));
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

/** @throws PreconditionFailedException */
function checkConditions({ headers }: FastifyRequest, outcome: JsonOutcome, isRead: boolean): void {
  const tag = outcome.source === 'bypass' ? tagOf(outcome.answer.body) : outcome.entry.tag;
  requireMatch(headers, tag);
  if (!isRead) requireNoMatch(headers, tag);
}

function isAbsent(outcome: JsonOutcome, query: CacheableQuery): boolean {
  const { empty } = outcome.source === 'bypass' ? outcome.answer : outcome.entry;
  return empty && query instanceof BoundQuery && query.shape === 'one';
}

function absence(query: CacheableQuery): string {
  const say = query instanceof BoundQuery ? query.absent : undefined;
  return say?.() ?? 'There is no such resource.';
}
