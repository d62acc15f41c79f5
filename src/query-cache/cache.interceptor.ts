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
import { entryHeaders, statusOf } from './http/cache-headers.js';
import { chooseEncoding } from './http/content-encoding.js';
import { entityTag, isNotModified } from './http/entity-tag.js';
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
    const outcome = await this.reader.readJson(query, this.#lifetime(context));
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
    const encoding = chooseEncoding(request.headers['accept-encoding']);
    const body = encoding === 'identity' ? undefined : await entry.variant(encoding);
    const tag = entityTag(entry.tag, body ? encoding : 'identity');
    reply.header('etag', tag);
    if (isNotModified(request.headers['if-none-match'], entry.tag)) {
      markNotModified(reply);
      return undefined;
    }
    if (body) reply.header('content-encoding', encoding);
    return body ?? entry.body;
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
