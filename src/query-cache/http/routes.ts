/** What is known about a route before its first request: how its answers are kept and how they are sent. */
import type { Reflector } from '@nestjs/core';
import type { RouteInterceptors } from './route-interceptors.js';

export interface CacheQueryOptions {
  /** Time to live of the answers of this route before jitter, as `seconds(300)`. */
  readonly ttl?: number;
  /** The same for answers without a row; a tenth of `ttl` unless said otherwise. */
  readonly emptyTtl?: number;
}

export const CACHE_QUERY_OPTIONS = Symbol('tidemark:cache-query');

/** On a handler that answers its query itself, so that every interceptor sees the answer. */
export const ANSWERS_INNERMOST = Symbol('tidemark:answers-innermost');

/** The handler that returned a query, and the class of its controller. */
export interface Route {
  readonly controller: Function;
  readonly handler: Function;
  /** The method that Nest calls: another function where a decorator has wrapped the handler. */
  readonly method: Function;
}

export interface RouteFacts {
  /** What `@CacheQuery` says on the handler, or else on its controller. */
  readonly lifetime: CacheQueryOptions;
  /** Whether Nest sends what the handler's query answers without showing it to other code. */
  readonly sendsAnswer: boolean;
}

/** Metadata of `@Render`, `@Redirect` and `@Sse`, whose routes make something else of the answer. */
const OTHER_RESPONSES = ['__renderTemplate__', '__redirect__', '__sse__'];

/** Looks the facts up once for each route. */
export class Routes {
  readonly #known = new WeakMap<Function, WeakMap<Function, RouteFacts>>();

  constructor(
    private readonly reflector: Pick<Reflector, 'getAllAndOverride'>,
    private readonly interceptors: RouteInterceptors,
  ) {}

  of(route: Route): RouteFacts {
    let ofMethods = this.#known.get(route.controller);
    if (!ofMethods) {
      ofMethods = new WeakMap();
      this.#known.set(route.controller, ofMethods);
    }
    let facts = ofMethods.get(route.method);
    if (!facts) {
      facts = this.#factsOf(route);
      ofMethods.set(route.method, facts);
    }
    return facts;
  }

  #factsOf({ controller, handler, method }: Route): RouteFacts {
    const lifetime = this.reflector.getAllAndOverride<CacheQueryOptions | undefined>(
      CACHE_QUERY_OPTIONS,
      [method, handler, controller],
    );
    const isShownToOthers =
      method !== handler ||
      this.interceptors.of(controller, method).some(({ leavesBody }) => !leavesBody) ||
      OTHER_RESPONSES.some((name) => Reflect.hasMetadata(name, method));
    return { lifetime: lifetime ?? {}, sendsAnswer: !isShownToOthers };
  }
}
