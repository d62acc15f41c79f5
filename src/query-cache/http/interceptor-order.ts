/** Refuses to start where an interceptor would be given a query in place of the query's answer. */
import { RequestMethod, type OnModuleInit } from '@nestjs/common';
import { MetadataScanner, type ModulesContainer } from '@nestjs/core';
import { CacheInterceptor } from '../cache.interceptor.js';
import type { RouteInterceptors } from './route-interceptors.js';
import { CACHE_QUERY_OPTIONS, makesOtherResponse } from './routes.js';

/** Where Nest's decorators of routes keep path and method of the request. */
const PATH_METADATA = 'path';
const METHOD_METADATA = 'method';

/** Methods of requests that are answered with what a query reads. */
const READING: readonly unknown[] = [RequestMethod.GET, RequestMethod.HEAD, RequestMethod.ALL];

export class InterceptorOrder implements OnModuleInit {
  constructor(
    private readonly modules: ModulesContainer,
    private readonly interceptors: RouteInterceptors,
  ) {}

  /** @throws Error that names the interceptors, the routes and the remedy. */
  onModuleInit(): void {
    const routes = new Map<string, string[]>();
    for (const controller of this.#controllers()) {
      for (const [route, name] of this.#misplacedOn(controller)) {
        routes.set(name, [...(routes.get(name) ?? []), route]);
      }
    }
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

  #controllers(): readonly Function[] {
    const wrappers = [...this.modules.values()].flatMap((module) => [
      ...module.controllers.values(),
    ]);
    return wrappers.map(({ metatype }) => metatype).filter((type) => typeof type === 'function');
  }

  #misplacedOn(controller: Function): readonly (readonly [route: string, name: string])[] {
    const prototype = controller.prototype as Readonly<Record<string, Function>>;
    return new MetadataScanner().getAllMethodNames(prototype).flatMap((name) => {
      const method = prototype[name];
      const misplaced = method && this.#givenQueries(controller, method);
      return misplaced === undefined ? [] : [[`${controller.name}.${name}`, misplaced] as const];
    });
  }

  /** The name of an interceptor or decorator that gets a handler's queries before they are answered. */
  #givenQueries(controller: Function, method: Function): string | undefined {
    if (!Reflect.hasMetadata(PATH_METADATA, method)) return undefined;
    const chain = this.interceptors.of(controller, method);
    const at = chain.findLastIndex(({ type }) => isCache(type));
    const returnsQueries =
      Reflect.hasMetadata(CACHE_QUERY_OPTIONS, method) ||
      this.interceptors.on(method).some(({ type }) => isCache(type)) ||
      // On a controller or the application it is also around handlers that write, with interceptors for what is sent.
      (at >= 0 && READING.includes(Reflect.getMetadata(METHOD_METADATA, method)));
    if (!returnsQueries) return undefined;
    const inside = chain.slice(at + 1).find(({ leavesBody }) => !leavesBody);
    if (inside) return inside.type.name;
    return at < 0 && makesOtherResponse(method) ? '@Redirect, @Render or @Sse' : undefined;
  }
}

function isCache(type: Function): boolean {
  return type === CacheInterceptor || type.prototype instanceof CacheInterceptor;
}
