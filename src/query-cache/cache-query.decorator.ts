import { SetMetadata, type CustomDecorator } from '@nestjs/common';

export interface CacheQueryOptions {
  /** Time to live of the answers of this route before jitter, as `seconds(300)`. */
  readonly ttl?: number;
  /** The same for answers without a row; a tenth of `ttl` unless said otherwise. */
  readonly emptyTtl?: number;
}

export const CACHE_QUERY_OPTIONS = Symbol('tidemark:cache-query');

/** Sets how long the answers of a handler or of all handlers of a controller are kept. */
export function CacheQuery(options: CacheQueryOptions): CustomDecorator<symbol> {
  return SetMetadata(CACHE_QUERY_OPTIONS, Object.freeze({ ...options }));
}
