import { applyDecorators, SetMetadata, UseGuards, UseInterceptors } from '@nestjs/common';
import { CacheInterceptor } from './cache.interceptor.js';
import { NOTES_ROUTE } from './http/query-replies.js';
import { CACHE_QUERY_OPTIONS, isRoute, type CacheQueryOptions } from './http/routes.js';

/**
 * On a handler: the cache answers the query that the handler returns when Nest sends it, after all interceptors. Each
 * of these needs `@LeavesBody()`, or `CacheInterceptor` inside it; otherwise the application does not start. A handler
 * that is no route, such as a resolver, gets `CacheInterceptor` inside of its other interceptors.
 *
 * On a controller: the default lifetime of the answers of its handlers.
 */
export function CacheQuery(options: CacheQueryOptions = {}): ClassDecorator & MethodDecorator {
  const setOptions = SetMetadata(CACHE_QUERY_OPTIONS, Object.freeze({ ...options }));
  const onHandler = applyDecorators(setOptions, UseGuards(NOTES_ROUTE));
  return (target: object, key?: string | symbol, descriptor?: PropertyDescriptor): void => {
    if (!descriptor || key === undefined) {
      setOptions(target as Function);
      return;
    }
    onHandler(target, key, descriptor);
    // Decorators further up, which say what the handler is for, run after this one.
    void Promise.resolve().then(() => {
      const handler = Object.getOwnPropertyDescriptor(target, key) ?? descriptor;
      if (!isRoute(handler.value as Function)) {
        UseInterceptors(CacheInterceptor)(target, key, handler);
      }
    });
  };
}
