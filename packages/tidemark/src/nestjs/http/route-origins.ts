/**
 * Names the writes of HTTP requests by their route, such as `PATCH /users/:id`. A hook of the adapter does so: with a
 * global interceptor, no route would take the fast path of Nest (docs/decisions/writes.md).
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
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
  const name = (request: RoutedRequest, response: ServerResponse, next: () => void): void => {
    if (isSafe(request)) return next();
    void origins.run(
      () => routeOf(request),
      () => {
        next();
        return new Promise((resolve) => response.once('close', resolve));
      },
    );
  };
  if (adapter.getType() === 'fastify') {
    // Its body has been read: its parsers would end the asynchronous context.
    adapter
      .getInstance<HookedServer>()
      .addHook('preHandler', (request, { raw }, next) => name(request, raw, next));
  } else {
    adapter.use(
      (request: IncomingMessage & RoutedRequest, response: ServerResponse, next: () => void) =>
        name(request, response, next),
    );
  }
}
