import { Inject, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  RESPONSE_PASSTHROUGH_METADATA,
  ROUTE_ARGS_METADATA,
  RouteParamtypes,
} from '@nestjs/common/internal';
import { isObservable } from 'rxjs';
import { answered } from './http/answered.js';
import { HttpAnswers } from './http/http-answers.js';
import { ANSWERS_INNERMOST, CACHE_QUERY_OPTIONS, type CacheQueryOptions } from './http/routes.js';
import { isCacheableQuery, type CacheableQuery } from './sql/compiled-query.js';

/** Where Nest puts what answers the queries of a controller's handlers. */
const ANSWERS = Symbol('tidemark:answers');

/** Parameters with which a handler sends the answer itself. */
const SENDERS = [RouteParamtypes.RESPONSE, RouteParamtypes.NEXT];

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
  const requestAt = argumentsOf(prototype, key, handler);
  Req()(prototype, key, requestAt);
  Res({ passthrough: true })(prototype, key, requestAt + 1);
  Inject(HttpAnswers)(prototype, ANSWERS);

  function answeringHandler(this: Controller, ...args: unknown[]): unknown {
    // Called by other code than Nest, it is the handler that was written.
    if (args.length < requestAt + 2) return handler.apply(this, args);
    // An overridden handler may have left its own behind them.
    const [request, reply] = args.splice(requestAt) as [FastifyRequest, FastifyReply];
    const method = (this as unknown as Record<typeof key, Function>)[key] ?? answeringHandler;
    const route = { controller: this.constructor, handler: answeringHandler, method };
    const answer = (query: CacheableQuery): Promise<unknown> =>
      this[ANSWERS].answer(query, route, request, reply);
    const settled = (result: unknown): unknown =>
      isCacheableQuery(result) ? answer(result) : result;
    const result = handler.apply(this, args);
    if (isObservable(result)) return answered(result, answer);
    return isThenable(result) ? result.then(settled) : settled(result);
  }

  Reflect.defineMetadata(ANSWERS_INNERMOST, true, answeringHandler);
  for (const name of Reflect.getMetadataKeys(handler)) {
    Reflect.defineMetadata(name, Reflect.getMetadata(name, handler), answeringHandler);
  }
  Object.defineProperty(answeringHandler, 'name', { value: handler.name });
  return answeringHandler as Handler;
}

interface RouteArgument {
  readonly index: number;
}

/**
 * How many arguments the handler takes, also where the compiler does not tell and some have defaults.
 *
 * @throws TypeError where it sends the answer itself: there is nothing to answer then.
 */
function argumentsOf(prototype: object, key: string | symbol, handler: Handler): number {
  const types = Reflect.getMetadata('design:paramtypes', prototype, key) as unknown[] | undefined;
  const own = Reflect.getOwnMetadata(ROUTE_ARGS_METADATA, prototype.constructor, key) as
    Readonly<Record<string, RouteArgument>> | undefined;
  const taken = Object.entries(own ?? {});
  const sends = taken.some(([place]) => SENDERS.some((type) => place.startsWith(`${type}:`)));
  if (sends && !Reflect.getMetadata(RESPONSE_PASSTHROUGH_METADATA, prototype.constructor, key)) {
    throw new TypeError(
      `@CacheQuery on ${String(key)}: the handler takes the reply to send it itself. ` +
        'Use @Res({ passthrough: true }), or leave @CacheQuery out.',
    );
  }
  const places = taken.map(([, { index }]) => index + 1);
  return Math.max(types?.length ?? 0, handler.length, ...places);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function';
}
