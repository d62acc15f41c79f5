/** What is known about a route before its first request: how its answers are kept and how they are sent. */
import type { RouteInterceptors } from './route-interceptors.js';

export interface CacheQueryOptions {
  /** Time to live of the answers of this route before jitter, as `seconds(300)`. */
  readonly ttl?: number;
  /** The same for answers without a row; a tenth of `ttl` unless said otherwise. */
  readonly emptyTtl?: number;
}

export const CACHE_QUERY_OPTIONS = Symbol('tidemark:cache-query');

export interface RouteFacts {
  /** The options of `@CacheQuery` on the handler, and of those that it leaves out, on the controller. */
  readonly lifetime: CacheQueryOptions;
  /** Whether Nest sends what the handler's query answers without showing it to other code. */
  readonly sendsAnswer: boolean;
}

/** Metadata of `@Render`, `@Redirect` and `@Sse`, whose routes make something else of the answer. */
const OTHER_RESPONSES = ['__renderTemplate__', '__redirect__', '__sse__'];

export function makesOtherResponse(method: Function): boolean {
  return OTHER_RESPONSES.some((name) => Reflect.hasMetadata(name, method));
}

/** Looks the facts up once for each route. */
export class Routes {
  readonly #known = new WeakMap<Function, WeakMap<Function, RouteFacts>>();

  constructor(private readonly interceptors: RouteInterceptors) {}

  of(controller: Function, method: Function): RouteFacts {
    let ofMethods = this.#known.get(controller);
    if (!ofMethods) {
      ofMethods = new WeakMap();
      this.#known.set(controller, ofMethods);
    }
    let facts = ofMethods.get(method);
    if (!facts) {
      facts = this.#factsOf(controller, method);
      ofMethods.set(method, facts);
    }
    return facts;
  }

  #factsOf(controller: Function, method: Function): RouteFacts {
    const options = (target: Function): CacheQueryOptions | undefined =>
      Reflect.getMetadata(CACHE_QUERY_OPTIONS, target) as CacheQueryOptions | undefined;
    const isShownToOthers =
      makesOtherResponse(method) ||
      this.interceptors.of(controller, method).some(({ leavesBody }) => !leavesBody);
    return {
      lifetime: { ...options(controller), ...options(method) },
      sendsAnswer: !isShownToOthers,
    };
  }
}
