import {
  Injectable,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { mergeMap, of, type Observable } from 'rxjs';
import { HttpAnswers } from './http/http-answers.js';
import { LeavesBody } from './http/routes.js';
import { isCacheableQuery } from '../typeorm/queries/compiled-query.js';

/**
 * Replaces a query that a handler returns (a bound `defineQuery` query or a TypeORM `SelectQueryBuilder`) with its
 * answer. Interceptors around this one see the answer; those inside see the query. The application does not start if
 * one inside reads bodies (interceptor-order.ts).
 */
@Injectable()
@LeavesBody()
export class CacheInterceptor implements NestInterceptor {
  constructor(private readonly answers: HttpAnswers) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next
      .handle()
      .pipe(
        mergeMap((value: unknown) =>
          isCacheableQuery(value) ? this.answers.answer(value, context) : of(value),
        ),
      );
  }
}
