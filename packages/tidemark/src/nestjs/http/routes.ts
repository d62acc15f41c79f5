/** The metadata of a route: the lifetime of its answers, and the code that sees them. */
import type { NestInterceptor } from '@nestjs/common';
import type { ApplicationConfig } from '@nestjs/core';
import type { Lifetime } from '../lifetime.js';

/** The lifetime of the answers of a route. `emptyTtl` defaults to a tenth of `ttl`. */
export type CacheQueryOptions = Lifetime;

export const CACHE_QUERY_OPTIONS = Symbol('tidemark:cache-query');
const LEAVES_BODY = Symbol('tidemark:leaves-body');

/** The metadata key in which `@UseInterceptors` stores classes and instances, on the method and on the controller. */
const INTERCEPTORS_METADATA = '__interceptors__';
/** Metadata of `@Render`, `@Redirect` and `@Sse`, whose routes send another response than the answer. */
const OTHER_RESPONSES = ['__renderTemplate__', '__redirect__', '__sse__'];

type Interceptor = Function | NestInterceptor | null;

/**
 * Marks the class of an interceptor that neither reads, changes nor replaces the value that `next.handle()` emits, and
 * does not fail after it, such as one that measures time. Routes whose interceptors all have this decorator are
 * answered with stored bytes; other interceptors get values, which are encoded for each request.
 */
export function LeavesBody(): ClassDecorator {
  return (target) => Reflect.defineMetadata(LEAVES_BODY, true, target);
}

/** A subclass may behave differently from its base class, so it needs the decorator itself. */
export function isLeavingBody(interceptor: Function): boolean {
  return Reflect.hasOwnMetadata(LEAVES_BODY, interceptor);
}

/** Classes of the interceptors around a handler, the outermost first; for a request-scoped one, its factory. */
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
