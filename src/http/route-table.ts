import type { FastifyInstance } from 'fastify';

/** The routes of a server, to distinguish a wrong method from a wrong path. */
export class RouteTable {
  readonly #routes: { readonly method: string; readonly path: RegExp }[] = [];

  /** Records the routes that are registered from now on. */
  constructor(server: Pick<FastifyInstance, 'addHook'>) {
    server.addHook('onRoute', ({ method, url }) => {
      const path = patternOf(url);
      for (const one of [method].flat()) this.#routes.push({ method: one.toUpperCase(), path });
    });
  }

  /** The methods that the path accepts, sorted; empty: there is no route at that path. */
  methodsOf(path: string): string[] {
    const found = this.#routes.filter((route) => route.path.test(path));
    return [...new Set(found.map(({ method }) => method))].toSorted();
  }
}

/** Supports the part of the router syntax that the service uses: `:name` for one segment, `*` for the rest. */
function patternOf(url: string): RegExp {
  const parts = url.split('/').map((part) => {
    if (part === '*') return '.*';
    return part.startsWith(':') ? '[^/]+' : part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('/')}$`);
}
