/** Refuses to start where an interceptor would be given a query in place of the query's answer. */
import { RequestMethod, type OnModuleInit } from '@nestjs/common';
import { MetadataScanner, type ModulesContainer } from '@nestjs/core';
import { CacheInterceptor } from '../cache.interceptor.js';
import type { RouteInterceptor, RouteInterceptors } from './route-interceptors.js';
import { ANSWERS_INNERMOST } from './routes.js';

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
      for (const [route, { name }] of this.#misplacedOn(controller)) {
        routes.set(name, [...(routes.get(name) ?? []), route]);
      }
    }
    if (routes.size === 0) return;
    const problems = [...routes].map(
      ([name, named]) =>
        `${name} runs inside of CacheInterceptor on ${named.join(', ')} and would be given queries in place of ` +
        'their answers.',
    );
    throw new Error(
      `${problems.join(' ')} Put @CacheQuery() on the handler, which then answers its query inside of all ` +
        'interceptors, or make CacheInterceptor the last in @UseInterceptors() of the handler. An interceptor that does ' +
        'not look at the body, such as one that logs, gets @LeavesBody().',
    );
  }

  #controllers(): readonly Function[] {
    const wrappers = [...this.modules.values()].flatMap((module) => [
      ...module.controllers.values(),
    ]);
    return wrappers.map(({ metatype }) => metatype).filter((type) => typeof type === 'function');
  }

  #misplacedOn(controller: Function): readonly (readonly [route: string, interceptor: Function])[] {
    const prototype = controller.prototype as Readonly<Record<string, Function>>;
    return new MetadataScanner().getAllMethodNames(prototype).flatMap((name) => {
      const method = prototype[name];
      const inside = method && this.#insideOfCache(controller, method);
      return inside ? [[`${controller.name}.${name}`, inside.type] as const] : [];
    });
  }

  /** An interceptor between `CacheInterceptor` and the handler, where the handler may return a query. */
  #insideOfCache(controller: Function, method: Function): RouteInterceptor | undefined {
    if (!Reflect.hasMetadata(PATH_METADATA, method)) return undefined;
    if (Reflect.hasMetadata(ANSWERS_INNERMOST, method)) return undefined;
    const chain = this.interceptors.of(controller, method);
    const at = chain.findLastIndex(({ type }) => isCache(type));
    const isOnHandler = this.interceptors.on(method).some(({ type }) => isCache(type));
    // On a controller or the application it is also around handlers that write, with interceptors for what is sent.
    const isReading = READING.includes(Reflect.getMetadata(METHOD_METADATA, method));
    if (at < 0 || !(isOnHandler || isReading)) return undefined;
    return chain.slice(at + 1).find(({ leavesBody }) => !leavesBody);
  }
}

function isCache(type: Function): boolean {
  return type === CacheInterceptor || type.prototype instanceof CacheInterceptor;
}
