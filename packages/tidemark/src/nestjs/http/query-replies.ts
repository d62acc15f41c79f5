/**
 * Answers the queries of `@CacheQuery` handlers when Nest passes them to its HTTP adapter. An interceptor that waits
 * for the answer would cost a hit 1.3 times the processor time (docs/performance.md). A rejection goes to the exception
 * filters of the route.
 */
import { Logger, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { isCacheableQuery } from '../../typeorm/queries/compiled-query.js';
import { BoundQuery, unansweredError } from '../../typeorm/queries/define-query.js';
import type { HttpAnswers } from './http-answers.js';
import { ReadyBytes, type HttpReply } from './http-reply.js';
import { replyBodiesOf } from './reply-bodies.js';

const CONTEXT = Symbol('tidemark:context');

interface NotedReply extends HttpReply {
  [CONTEXT]?: ExecutionContext;
}

/** Records the handler on the reply: the adapter gets only reply, body and status. It admits every request. */
export const NOTES_ROUTE: CanActivate = {
  canActivate(context) {
    if (context.getType() === 'http') context.getArgByIndex<NotedReply>(1)[CONTEXT] = context;
    return true;
  },
};

export function answerQueries(adapter: AbstractHttpAdapter, answers: HttpAnswers): void {
  const log = new Logger('QueryCache');
  const warned = new WeakSet<Function>();
  const send = adapter.reply.bind(adapter);

  function deliver(reply: NotedReply, body: unknown, status?: number): unknown {
    if (!(body instanceof ReadyBytes)) return send(reply, body, status);
    // Nest has set the status before it called the handler; it is 304 by now if the client has the bytes.
    const { send: sendBytes = send } = replyBodiesOf(adapter);
    return sendBytes(reply, body.bytes);
  }

  /** Warns once for each handler. Errors and the answers of CacheInterceptor are excepted. */
  function warnOfValue(reply: NotedReply, context: ExecutionContext, status: number): void {
    const handler = context.getHandler();
    if (warned.has(handler) || status >= 400 || reply.hasHeader('cache-status')) return;
    warned.add(handler);
    log.warn(
      `${context.getClass().name}.${handler.name} has @CacheQuery() and returns values, which cannot be cached: ` +
        'return the query itself, without getMany(), find() or await.',
    );
  }

  adapter.reply = (reply: NotedReply, body: unknown, status?: number): unknown => {
    const context = reply[CONTEXT];
    if (isCacheableQuery(body)) {
      if (!context) throw unansweredError(body instanceof BoundQuery ? body.name : body.alias);
      if (status !== undefined) reply.status(status);
      return answers.answer(body, context).then((answer) => deliver(reply, answer));
    }
    if (context && body !== undefined && body !== null) {
      warnOfValue(reply, context, status ?? reply.statusCode);
    }
    return deliver(reply, body, status);
  };
}
