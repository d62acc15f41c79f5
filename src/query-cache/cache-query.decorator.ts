import { Inject, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { HttpAnswers } from './http/http-answers.js';
import { CACHE_QUERY_OPTIONS, type CacheQueryOptions } from './http/lifetimes.js';
import { isCacheableQuery } from './sql/compiled-query.js';

/** Where Nest puts what answers the queries of a controller's handlers. */
const ANSWERS = Symbol('tidemark:answers');

interface Controller {
  readonly [ANSWERS]: HttpAnswers;
}

type Handler = (this: unknown, ...args: unknown[]) => unknown;

/**
 * On a handler: the query that it returns is answered from the cache, as `CacheInterceptor` does it, but
 * without what Nest does for an interceptor at every request. On a handler, or on a controller for all of
 * them: how long answers are kept.
 */
export function CacheQuery(options?: CacheQueryOptions): ClassDecorator & MethodDecorator {
  return (target: object, key?: string | symbol, descriptor?: PropertyDescriptor): void => {
    if (key !== undefined && descriptor) {
      descriptor.value = answering(target, key, descriptor.value as Handler);
    }
    if (!options) return;
    const place = (descriptor?.value ?? target) as object;
    Reflect.defineMetadata(CACHE_QUERY_OPTIONS, Object.freeze({ ...options }), place);
  };
}

/**
 * The handler, answering the query that it returns. What it needs for that comes from Nest: request and
 * reply as two more arguments behind its own, and a property of the controller.
 */
function answering(prototype: object, key: string | symbol, handler: Handler): Handler {
  const types = Reflect.getMetadata('design:paramtypes', prototype, key) as unknown[] | undefined;
  const requestAt = types?.length ?? handler.length;
  Req()(prototype, key, requestAt);
  Res({ passthrough: true })(prototype, key, requestAt + 1);
  Inject(HttpAnswers)(prototype, ANSWERS);

  function answeringHandler(this: Controller, ...args: unknown[]): unknown {
    // Called by other code than Nest, it is the handler that was written.
    if (args.length !== requestAt + 2) return handler.apply(this, args);
    const [request, reply] = args.splice(requestAt) as [FastifyRequest, FastifyReply];
    const route = { controller: this.constructor, handler: answeringHandler };
    const answer = (result: unknown): unknown =>
      isCacheableQuery(result) ? this[ANSWERS].answer(result, route, request, reply) : result;
    const result = handler.apply(this, args);
    return result instanceof Promise ? result.then(answer) : answer(result);
  }

  for (const name of Reflect.getMetadataKeys(handler)) {
    Reflect.defineMetadata(name, Reflect.getMetadata(name, handler), answeringHandler);
  }
  Object.defineProperty(answeringHandler, 'name', { value: handler.name });
  return answeringHandler as Handler;
}
