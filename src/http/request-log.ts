import type { FastifyInstance } from 'fastify';
import type { ServiceLog } from '../logging/service-log.js';
import type { BusyLog } from './busy-log.js';
import { pathOf } from './problem-document.js';

const LONGEST_PATH = 200;

/**
 * One line a request when it is answered: at level debug, or info where it was refused or failed. Requests that are
 * refused while the database is busy share one (busy-log.ts).
 * Only the path is told, since query strings and bodies may hold what must not be kept.
 */
export function logRequests(
  server: Pick<FastifyInstance, 'addHook'>,
  log: ServiceLog,
  busyLog: BusyLog,
): void {
  server.addHook('onResponse', (request, reply, done) => {
    const { statusCode } = reply;
    const level = statusCode >= 400 && !busyLog.has(request) ? 'info' : 'debug';
    if (log.isEnabled(level)) {
      const path = pathOf(request.url).slice(0, LONGEST_PATH);
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
