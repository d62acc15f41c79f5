/** The metadata of a route: the lifetime of its answers, and the code that sees them. */
import type { NestInterceptor } from '@nestjs/common';
import type { ApplicationConfig } from '@nestjs/core';
import type { Lifetime } from '../lifetime.js';

/** The lifetime of the answers of a route. `emptyTtl` defaults to a tenth of `ttl`. */
export type CacheQueryOptions = Lifetime;

export const CACHE_QUERY_OPTIONS = Symbol('tidemark:cache-query');
const LEAVES_BODY = Symbol('tidemark:leaves-body');

/** The metadata key in which Nest's route decorators store the path. */
const PATH_METADATA = 'path';
/** The metadata key in which `@UseInterceptors` stores classes and instances, on the method and on the controller. */
const INTERCEPTORS_METADATA = '__interceptors__';
/** Metadata of the parameters of a handler, on its controller: by type and index, such as `1:0`. */
const PARAMETERS_METADATA = '__routeArguments__';
/** Types of the parameters of `@Res()` and `@Next()`: with one of them, Nest sends no answer of the handler. */
const SENDING_PARAMETERS = /^[12]:/;
/** Metadata of `@Res({ passthrough: true })`, on the controller. */
const PASSTHROUGH_METADATA = '__responsePassthrough__';
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
  // A provider of a global interceptor may give none.
  const global = config.getGlobalInterceptors().filter(Boolean);
  return [
    ...[...global, ...scoped].map(classOf),
    ...interceptorsOn(controller),
    ...interceptorsOn(method),
  ];
}

/** Classes of the interceptors that `@UseInterceptors` names on the controller or the method. */
export function interceptorsOn(target: Function): readonly Function[] {
  const named: unknown = Reflect.getMetadata(INTERCEPTORS_METADATA, target);
  return ((named ?? []) as readonly Interceptor[]).map(classOf);
}

/** Whether the method handles HTTP requests, unlike a resolver or a handler of messages. */
export function isRoute(method: Function): boolean {
  return Reflect.hasMetadata(PATH_METADATA, method);
}

export function makesOtherResponse(method: Function): boolean {
  return OTHER_RESPONSES.some((name) => Reflect.hasMetadata(name, method));
}

/** Whether Nest leaves it to the handler to send its answer. */
export function sendsItself(controller: Function, name: string): boolean {
  const parameters: unknown = Reflect.getMetadata(PARAMETERS_METADATA, controller, name);
  return (
    Object.keys(parameters ?? {}).some((key) => SENDING_PARAMETERS.test(key)) &&
    Reflect.getMetadata(PASSTHROUGH_METADATA, controller, name) !== true
  );
}

/** Why the answers of the handlers, such as `UsersController.read`, would never be sent. */
export function whyNeverSent(handlers: readonly string[]): string {
  return (
    `${handlers.join(', ')} would never be answered: with @Res() or @Next(), Nest leaves it to the handler to send ` +
    'its answer, and it returns a query. Use @Res({ passthrough: true }), and leave @Next() out.'
  );
}

function classOf(interceptor: Interceptor): Function {
  return typeof interceptor === 'function' ? interceptor : (interceptor ?? {}).constructor;
}
