/** How long the answers of a route are kept, as `@CacheQuery` says. */
import type { Reflector } from '@nestjs/core';

export interface CacheQueryOptions {
  /** Time to live of the answers of this route before jitter, as `seconds(300)`. */
  readonly ttl?: number;
  /** The same for answers without a row; a tenth of `ttl` unless said otherwise. */
  readonly emptyTtl?: number;
}

export const CACHE_QUERY_OPTIONS = Symbol('tidemark:cache-query');

/** The handler that was called, as Nest knows it, and the class of its controller. */
export interface Route {
  readonly controller: Function;
  readonly handler: Function;
}

/** Metadata are looked up once for each route. */
export class Lifetimes {
  readonly #known = new WeakMap<Function, WeakMap<Function, CacheQueryOptions>>();

  constructor(private readonly reflector: Pick<Reflector, 'getAllAndOverride'>) {}

  /** What is said on the handler, or else on its controller. */
  of({ controller, handler }: Route): CacheQueryOptions {
    let ofHandlers = this.#known.get(controller);
    if (!ofHandlers) {
      ofHandlers = new WeakMap();
      this.#known.set(controller, ofHandlers);
    }
    let lifetime = ofHandlers.get(handler);
    if (!lifetime) {
      lifetime = this.#look(controller, handler) ?? {};
      ofHandlers.set(handler, lifetime);
    }
    return lifetime;
  }

  #look(controller: Function, handler: Function): CacheQueryOptions | undefined {
    return this.reflector.getAllAndOverride(CACHE_QUERY_OPTIONS, [handler, controller]);
  }
}
