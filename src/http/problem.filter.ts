import { Catch, NotFoundException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { DatabaseBusyError } from '../database/bounded-driver.js';
import type { ServiceLog } from '../logging/service-log.js';
import { describeError } from '../logging/describe-error.js';
import type { BusyLog } from './busy-log.js';
import {
  cut,
  MAX_PATH_LENGTH,
  pathOf,
  PROBLEM_MEDIA_TYPE,
  toDocument,
  type Problem,
} from './problem-document.js';
import { problemOfError } from './problem-of-error.js';
import type { RouteTable } from './route-table.js';

/** Answers every error with a problem document, and logs faults of the service. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    private readonly log: ServiceLog,
    private readonly busyLog: BusyLog,
    private readonly routes: RouteTable,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const isUnmatched = request.is404 && error instanceof NotFoundException;
    const problem = isUnmatched ? this.#problemOfRoute(request) : problemOfError(error);
    if (error instanceof DatabaseBusyError) this.busyLog.refused();
    else if (problem.status >= 500) {
      const { id: requestId, method, url } = request;
      const fields = {
        requestId,
        method,
        path: cut(pathOf(url), MAX_PATH_LENGTH),
        error: describeError(error),
      };
      this.log.record(problem.status === 500 ? 'error' : 'warn', fields, 'A request failed');
    }
    if (!reply.sent && !reply.raw.headersSent) sendProblem(problem, request, reply);
  }

  /** A wrong method, or a wrong path. */
  #problemOfRoute({ url, method }: FastifyRequest): Problem {
    const path = pathOf(url);
    const allow = this.routes.methodsOf(path).join(', ');
    const shown = cut(path, MAX_PATH_LENGTH);
    return allow === ''
      ? { status: 404, detail: `There is nothing at ${shown}. /docs lists what there is.` }
      : {
          status: 405,
          detail: `${shown} does not take ${method}, but ${allow}.`,
          headers: { allow },
        };
  }
}

export function sendProblem(
  problem: Problem,
  request: { readonly id: string; readonly url: string },
  reply: FastifyReply,
): void {
  // These headers describe the answer that the handler would have given.
  for (const header of ['etag', 'content-encoding', 'age', 'link', 'last-modified']) {
    reply.removeHeader(header);
  }
  void reply
    .status(problem.status)
    .headers({ 'cache-control': 'no-store', ...problem.headers })
    .type(PROBLEM_MEDIA_TYPE)
    .send(JSON.stringify(toDocument(problem, request)));
}
