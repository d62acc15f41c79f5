/** Refuses to start if an interceptor would get a query instead of its answer, or if no answer would be sent. */
import { RequestMethod } from '@nestjs/common';
import { MetadataScanner, type ApplicationConfig } from '@nestjs/core';
import { CacheInterceptor } from '../cache.interceptor.js';
import {
  CACHE_QUERY_OPTIONS,
  interceptorsOf,
  interceptorsOn,
  isLeavingBody,
  isRoute,
  makesOtherResponse,
  sendsItself,
  whyNeverSent,
} from './routes.js';

/** The metadata key in which Nest's route decorators store the request method. */
const METHOD_METADATA = 'method';

/** Request methods whose answers are rows read by a query. */
const READING: readonly unknown[] = [RequestMethod.GET, RequestMethod.HEAD, RequestMethod.ALL];

/** @throws Error that names the interceptors or the cause, the routes and the remedy. */
export function requireAnswers(controllers: readonly Function[], config: ApplicationConfig): void {
  const unsent: string[] = [];
  const routes = new Map<string, string[]>();
  for (const controller of controllers) {
    const prototype = controller.prototype as Readonly<Record<string, Function>>;
    for (const name of new MetadataScanner().getAllMethodNames(prototype)) {
      const method = prototype[name];
      if (!method || !isRoute(method)) continue;
      const route = `${controller.name}.${name}`;
      if (returnsQueries(method) && sendsItself(controller, name)) unsent.push(route);
      const misplaced = givenQueries(controller, method, config);
      if (misplaced === undefined) continue;
      routes.set(misplaced, [...(routes.get(misplaced) ?? []), route]);
    }
  }
  if (unsent.length > 0) throw new Error(whyNeverSent(unsent));
  if (routes.size === 0) return;
  const problems = [...routes].map(
    ([name, named]) =>
      `${name} would be given queries in place of their answers on ${named.join(', ')}.`,
  );
  throw new Error(
    `${problems.join(' ')} An interceptor that does not look at the body, such as one that logs, gets @LeavesBody(). ` +
      'For others, make CacheInterceptor the last in @UseInterceptors() of the handler: it answers the query inside ' +
      'of all of them. A global CacheInterceptor does so for other global interceptors where it is the last of them.',
  );
}

/** The name of an interceptor or decorator that would get the queries of a handler before they are answered. */
function givenQueries(
  controller: Function,
  method: Function,
  config: ApplicationConfig,
): string | undefined {
  const chain = interceptorsOf(controller, method, config);
  const at = chain.findLastIndex(isCache);
  const mayReturnQueries =
    returnsQueries(method) ||
    // On a controller or the application, it also surrounds handlers that write, with interceptors for their bodies.
    (at >= 0 && READING.includes(Reflect.getMetadata(METHOD_METADATA, method)));
  if (!mayReturnQueries) return undefined;
  const inside = chain.slice(at + 1).find((type) => !isLeavingBody(type));
  if (inside) return inside.name;
  return at < 0 && makesOtherResponse(method) ? '@Redirect, @Render or @Sse' : undefined;
}

function returnsQueries(method: Function): boolean {
  return Reflect.hasMetadata(CACHE_QUERY_OPTIONS, method) || interceptorsOn(method).some(isCache);
}

function isCache(type: Function): boolean {
  return type === CacheInterceptor || type.prototype instanceof CacheInterceptor;
}
