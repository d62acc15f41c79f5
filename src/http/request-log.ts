import type { FastifyInstance } from 'fastify';
import type { ServiceLog } from '../logging/service-log.js';
import { cut, MAX_PATH_LENGTH, pathOf } from './problem-document.js';

/**
 * Writes a line for each answered request: at level debug, or info if the client was refused. Failures of the service
 * are logged by problem.filter.ts. Query strings and bodies are omitted: they may hold data that must not be kept.
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
