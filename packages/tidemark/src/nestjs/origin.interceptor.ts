import {
  Injectable,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { Observable } from 'rxjs';
import { LeavesBody } from './http/routes.js';
import { isSafe, routeOf, type RoutedRequest } from './http/route-origins.js';
import { WriteOrigins } from './write-origins.js';

/** The last argument of a resolver. */
type OperationInfo = { readonly operation?: { readonly operation?: string } } | undefined;

/**
 * Names the writes of resolvers and handlers of messages by class and method, such as `UsersResolver.rename`; those of
 * HTTP handlers by their route, such as `PATCH /users/:id`, as an open page does without it. Requests with a safe method
 * (GET, HEAD, OPTIONS) and queries of GraphQL get no name: docs/decisions/writes.md has the reason.
 */
@Injectable()
@LeavesBody()
export class OriginInterceptor implements NestInterceptor {
  constructor(private readonly origins: WriteOrigins) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const origin = originOf(context);
    if (origin === undefined) return next.handle();
    // Nest runs the handler in the context of the call of `handle`.
    return new Observable((subscriber) => {
      const ended = new Promise<void>((resolve) => subscriber.add(resolve));
      void this.origins.run(origin, () => {
        next.handle().subscribe(subscriber);
        return ended;
      });
    });
  }
}

function originOf(context: ExecutionContext): string | undefined {
  const handler = `${context.getClass().name}.${context.getHandler().name}`;
  const type: string = context.getType();
  if (type === 'graphql') {
    const info = context.getArgByIndex<OperationInfo>(3);
    return info?.operation?.operation === 'query' ? undefined : handler;
  }
  if (type !== 'http') return handler;
  const request = context.switchToHttp().getRequest<RoutedRequest>();
  return isSafe(request) ? undefined : routeOf(request);
}
