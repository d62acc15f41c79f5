/**
 * Names the writes of HTTP requests by their route, such as `PATCH /users/:id`. A hook of the adapter does so: with a
 * global interceptor, no route would take the fast path of Nest (docs/decisions/writes.md).
 */
import type { ServerResponse } from 'node:http';
import type { AbstractHttpAdapter } from '@nestjs/core';
import type { WriteOrigins } from '../write-origins.js';

/** Their handlers should not write. */
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

export interface RoutedRequest {
  readonly method: string;
  /** Express, once it has found the route. */
  readonly route?: { readonly path?: string | RegExp };
  /** Fastify. */
  readonly routeOptions?: { readonly url?: string };
}

/** The part of Fastify that is used here. */
interface HookedServer {
  addHook(
    name: 'preHandler',
    hook: (
      request: RoutedRequest,
      reply: { readonly raw: ServerResponse },
      done: () => void,
    ) => void,
  ): void;
}

export const isSafe = ({ method }: RoutedRequest): boolean => SAFE_METHODS.has(method);

/** The pattern of the route, since the URL has ids, which may be personal; the method alone where no route matches. */
export function routeOf({ method, route, routeOptions }: RoutedRequest): string {
  const pattern = routeOptions?.url ?? route?.path;
  return pattern === undefined ? method : `${method} ${String(pattern)}`;
}

/**
 * Requests with a safe method get no name. The name holds until the response has been sent or its connection has been
 * closed. Call it before routes are bound.
 */
export function nameRoutes(adapter: AbstractHttpAdapter, origins: WriteOrigins): void {
  if (adapter.getType() === 'fastify') {
    // The body has been read by then: a parser of bodies may go on in another asynchronous context.
    adapter.getInstance<HookedServer>().addHook('preHandler', (request, { raw }, next) => {
      if (mayWrite(request, raw)) runNamed(origins, routeOf(request), raw, next);
      else next();
    });
  } else {
    adapter.use((request: RoutedRequest, response: ServerResponse, next: () => void) => {
      if (mayWrite(request, response)) {
        const route = new LateRoute(request);
        response.once('close', () => route.settle());
        runNamed(origins, nameOf(route), response, next);
      } else next();
    });
  }
}

/** `close` of a destroyed response has been emitted already. */
function mayWrite(request: RoutedRequest, { destroyed }: ServerResponse): boolean {
  return !isSafe(request) && !destroyed;
}

function runNamed(
  origins: WriteOrigins,
  name: string | (() => string),
  response: ServerResponse,
  next: () => void,
): void {
  void origins.run(name, () => {
    next();
    return new Promise((resolve) => response.once('close', resolve));
  });
}

/** A route that Express finds later. Whatever is created in the request, such as a timer, refers to it: it lets go of it. */
class LateRoute {
  #request: RoutedRequest | undefined;
  #name = '';

  constructor(request: RoutedRequest) {
    this.#request = request;
  }

  get name(): string {
    return this.#request ? routeOf(this.#request) : this.#name;
  }

  settle(): void {
    this.#name = this.name;
    this.#request = undefined;
  }
}

/** A function whose scope has no request. */
function nameOf(route: LateRoute): () => string {
  return () => route.name;
}
