import type { FastifyInstance } from 'fastify';
import { Histogram, type Registry } from 'prom-client';

/**
 * Measures every request by route, method and status; requests that match no route are `unmatched`. Node admits only
 * methods that it knows.
 */
export function measureRequests(
  server: Pick<FastifyInstance, 'addHook'>,
  registry: Registry,
): void {
  const durations = new Histogram({
    name: 'tidemark_http_request_duration_seconds',
    help: 'Time from a request to its answer',
    labelNames: ['route', 'method', 'status'],
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
    registers: [registry],
  });
  server.addHook('onResponse', (request, reply, done) => {
    const route = request.is404 ? undefined : request.routeOptions.url;
    durations.observe(
      {
        route: route ?? 'unmatched',
        method: request.method,
        status: String(reply.statusCode),
      },
      reply.elapsedTime / 1000,
    );
    done();
  });
}
