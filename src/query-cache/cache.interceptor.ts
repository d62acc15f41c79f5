import {
  Injectable,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Observable } from 'rxjs';
import { answered } from './http/answered.js';
import { HttpAnswers } from './http/http-answers.js';
import { LeavesBody } from './http/leaves-body.decorator.js';

/**
 * Answers handlers that return a query (a bound `defineQuery` query or a TypeORM
 * `SelectQueryBuilder`): it replays the stored answer or runs the query. Whatever else a handler
 * returns passes through untouched. Guards and pipes have run before. Interceptors around this one see the answer;
 * one inside of it would see the query, so the application then does not start (interceptor-order.ts).
 */
@Injectable()
@LeavesBody()
export class CacheInterceptor implements NestInterceptor {
  constructor(private readonly answers: HttpAnswers) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return answered(next.handle(), (query) => {
      const [request, reply] = context.getArgs<[FastifyRequest, FastifyReply]>();
      const method = context.getHandler();
      const route = { controller: context.getClass(), handler: method, method };
      return this.answers.answer(query, route, request, reply);
    });
  }
}
