/**
 * Answers the queries of `@CacheQuery` handlers when Nest passes them to its HTTP adapter. An interceptor that waits
 * for the answer would cost a hit 1.3 times the processor time (docs/performance.md). A rejection goes to the exception
 * filters of the route.
 */
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import type { FastifyReply } from 'fastify';
import { isCacheableQuery } from '../../typeorm/queries/compiled-query.js';
import type { HttpAnswers } from './http-answers.js';

const CONTEXT = Symbol('tidemark:context');

interface NotedReply extends FastifyReply {
  [CONTEXT]?: ExecutionContext;
}

/** Records the handler on the reply: the adapter gets only reply, body and status. It admits every request. */
export const NOTES_ROUTE: CanActivate = {
  canActivate(context) {
    context.getArgByIndex<NotedReply>(1)[CONTEXT] = context;
    return true;
  },
};

export function answerQueries(adapter: AbstractHttpAdapter, answers: HttpAnswers): void {
  const send = adapter.reply.bind(adapter);
  adapter.reply = (reply: NotedReply, body: unknown, status?: number): unknown => {
    const context = reply[CONTEXT];
    if (!context || !isCacheableQuery(body)) return send(reply, body, status);
    if (status !== undefined) void reply.code(status);
    return answers.answer(body, context).then((answer) => send(reply, answer) as unknown);
  };
}
