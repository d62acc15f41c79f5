import { applyDecorators, SetMetadata, UseGuards } from '@nestjs/common';
import { NOTES_ROUTE } from './http/query-replies.js';
import { CACHE_QUERY_OPTIONS, type CacheQueryOptions } from './http/routes.js';

/**
 * On a handler: the cache answers the query that the handler returns when Nest sends it, after all interceptors. Each
 * of these needs `@LeavesBody()`, or `CacheInterceptor` inside it; otherwise the application does not start.
 *
 * On a controller: the default lifetime of the answers of its handlers.
 */
export function CacheQuery(options: CacheQueryOptions = {}): ClassDecorator & MethodDecorator {
  const setOptions = SetMetadata(CACHE_QUERY_OPTIONS, Object.freeze({ ...options }));
  const onHandler = applyDecorators(setOptions, UseGuards(NOTES_ROUTE));
  return (target: object, key?: string | symbol, descriptor?: PropertyDescriptor): void => {
    if (descriptor) onHandler(target, key, descriptor);
    else setOptions(target as Function);
  };
}
