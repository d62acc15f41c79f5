/** The metadata of a route: how long its answers are kept, and the code that sees them. */
import type { NestInterceptor } from '@nestjs/common';
import type { ApplicationConfig } from '@nestjs/core';
import type { Lifetime } from '../lifetime.js';

/** How long the answers of a route are kept. `emptyTtl` is a tenth of `ttl` unless it is set. */
export type CacheQueryOptions = Lifetime;

export const CACHE_QUERY_OPTIONS = Symbol('tidemark:cache-query');
const LEAVES_BODY = Symbol('tidemark:leaves-body');

/** Where Nest's `@UseInterceptors` keeps classes and instances: on the method and on the controller. */
const INTERCEPTORS_METADATA = '__interceptors__';
/** Metadata of `@Render`, `@Redirect` and `@Sse`, whose routes make something else of the answer. */
const OTHER_RESPONSES = ['__renderTemplate__', '__redirect__', '__sse__'];

type Interceptor = Function | NestInterceptor | null;

/**
 * On the class of an interceptor that neither reads, changes nor replaces the value that `next.handle()` emits, and does
 * not fail after it, such as one that measures time. Routes with no other interceptors are answered with stored
 * bytes; interceptors without this decorator get values, which are encoded for each request.
 */
export function LeavesBody(): ClassDecorator {
  return (target) => Reflect.defineMetadata(LEAVES_BODY, true, target);
}

/** A subclass may do something else than its base class, so it needs the decorator itself. */
export function isLeavingBody(interceptor: Function): boolean {
  return Reflect.hasOwnMetadata(LEAVES_BODY, interceptor);
}

/** Classes of the interceptors around a handler, the outermost first; of one scoped to a request, what makes it. */
export function interceptorsOf(
  controller: Function,
  method: Function,
  config: ApplicationConfig,
): readonly Function[] {
  const scoped = config.getGlobalRequestInterceptors().map(({ metatype }) => metatype);
  return [
    ...[...config.getGlobalInterceptors(), ...scoped].map(classOf),
    ...interceptorsOn(controller),
    ...interceptorsOn(method),
  ];
}

/** Classes of the interceptors that `@UseInterceptors` names on the controller or the method. */
export function interceptorsOn(target: Function): readonly Function[] {
  const named: unknown = Reflect.getMetadata(INTERCEPTORS_METADATA, target);
  return ((named ?? []) as readonly Interceptor[]).map(classOf);
}

export function makesOtherResponse(method: Function): boolean {
  return OTHER_RESPONSES.some((name) => Reflect.hasMetadata(name, method));
}

function classOf(interceptor: Interceptor): Function {
  return typeof interceptor === 'function' ? interceptor : (interceptor ?? {}).constructor;
}
