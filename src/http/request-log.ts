import type { FastifyInstance } from 'fastify';
import type { ServiceLog } from '../logging/service-log.js';
import { cut, MAX_PATH_LENGTH, pathOf } from './problem-document.js';

/**
 * Writes a line for each request when it is answered: at level debug, or info where the client was refused. Failures of
 * the service have a line from problem.filter.ts. Query strings and bodies are left out: they may hold what must not be
 * kept.
 */
export function logRequests(server: Pick<FastifyInstance, 'addHook'>, log: ServiceLog): void {
  server.addHook('onResponse', (request, reply, done) => {
    const { statusCode } = reply;
    const level = statusCode >= 400 && statusCode < 500 ? 'info' : 'debug';
    if (log.isEnabled(level)) {
      const path = cut(pathOf(request.url), MAX_PATH_LENGTH);
      const fields = {
        method: request.method,
        path,
        route: request.routeOptions.url ?? null,
        status: statusCode,
        durationMs: Math.round(reply.elapsedTime * 1000) / 1000,
        requestId: request.id,
      };
      log.record(level, fields, `${request.method} ${path} ${statusCode}`);
    }
    done();
  });
}
