import {
  Injectable,
  NotFoundException,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { from, mergeMap, of, type Observable } from 'rxjs';
import { CACHE_QUERY_OPTIONS, type CacheQueryOptions } from './cache-query.decorator.js';
import { CacheReader, type JsonOutcome } from './cache-reader.js';
import { BoundQuery } from './define-query.js';
import { entryHeaders, FAILED_STATUS, statusOf } from './http/cache-headers.js';
import { chooseEncoding } from './http/content-encoding.js';
import { entityTag, matchingTag } from './http/entity-tag.js';
import { markNotModified } from './http/not-modified.hook.js';
import { isCacheableQuery, type CacheableQuery } from './sql/compiled-query.js';

/**
 * Answers handlers that return a query (a bound `defineQuery` query or a TypeORM
 * `SelectQueryBuilder`): it replays the stored answer or runs the query. Whatever else a handler
 * returns passes through untouched. Guards and pipes have run before.
 */
@Injectable()
export class CacheInterceptor implements NestInterceptor {
  constructor(
    private readonly reader: CacheReader,
    private readonly reflector: Reflector,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next
      .handle()
      .pipe(
        mergeMap((result: unknown) =>
          isCacheableQuery(result) ? from(this.#answer(context, result)) : of(result),
        ),
      );
  }

  async #answer(context: ExecutionContext, query: CacheableQuery): Promise<Buffer | undefined> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const outcome = await this.#read(context, query, reply);
    reply.headers({
      'cache-control': 'private, no-cache',
      'cache-status': statusOf(outcome, Date.now()),
      vary: 'Accept-Encoding',
    });
    if (isAbsent(outcome, query)) throw new NotFoundException(absence(query));
    reply.headers({ 'content-type': 'application/json; charset=utf-8' });
    if (outcome.source === 'bypass') {
      reply.headers(outcome.answer.headers);
      return outcome.answer.body;
    }
    const { entry } = outcome;
    reply.headers(entryHeaders(outcome, Date.now()));
    const wanted = chooseEncoding(request.headers['accept-encoding']);
    const variant = wanted === 'identity' ? undefined : await entry.variant(wanted);
    const encoding = variant ? wanted : 'identity';
    const held = matchingTag(request.headers['if-none-match'], entry.tag, encoding);
    reply.header('etag', held ?? entityTag(entry.tag, encoding));
    if (held !== undefined) {
      markNotModified(reply);
      return undefined;
    }
    if (variant) reply.header('content-encoding', encoding);
    return variant ?? entry.body;
  }

  async #read(
    context: ExecutionContext,
    query: CacheableQuery,
    reply: FastifyReply,
  ): Promise<JsonOutcome> {
    try {
      return await this.reader.readJson(query, this.#lifetime(context));
    } catch (error) {
      reply.header('cache-status', FAILED_STATUS);
      throw error;
    }
  }

  #lifetime(context: ExecutionContext): CacheQueryOptions {
    return (
      this.reflector.getAllAndOverride<CacheQueryOptions | undefined>(CACHE_QUERY_OPTIONS, [
        context.getHandler(),
        context.getClass(),
      ]) ?? {}
    );
  }
}

function isAbsent(outcome: JsonOutcome, query: CacheableQuery): boolean {
  const { empty } = outcome.source === 'bypass' ? outcome.answer : outcome.entry;
  return empty && query instanceof BoundQuery && query.shape === 'one';
}

function absence(query: CacheableQuery): string {
  const say = query instanceof BoundQuery ? query.absent : undefined;
  return say?.() ?? 'There is no such resource.';
}
