import type { Answer, FreshRead } from '../core/read-request.js';
import type { QueryCacheOptions } from './query-cache.options.js';

/** The lifetime of an answer, in milliseconds before jitter. */
export interface Lifetime {
  readonly ttl?: number;
  /** The lifetime of an answer without a row. */
  readonly emptyTtl?: number;
}

/** Options of one call of `QueryCache.run`. */
export interface RunOptions extends Lifetime {
  /** Runs the query and stores its answer although a valid one may be stored. */
  readonly fresh?: boolean;
}

export interface ReadOptions extends Lifetime {
  readonly fresh?: FreshRead | undefined;
}

/** Share of the time to live for an answer without a row. */
const EMPTY_TTL_SHARE = 0.1;

/** The time to live of an answer in milliseconds, with jitter. */
export function ttlMsOf(
  answer: Answer,
  { ttl, emptyTtl }: Lifetime,
  { ttlMs, ttlJitter }: Pick<QueryCacheOptions, 'ttlMs' | 'ttlJitter'>,
): number {
  const fullMs = ttl ?? ttlMs;
  const baseMs = answer.empty ? (emptyTtl ?? fullMs * EMPTY_TTL_SHARE) : fullMs;
  const jitter = 1 + ttlJitter * (2 * Math.random() - 1);
  return Math.max(1, Math.round(baseMs * jitter));
}
