/** The Redis of the checked system, as instances and faults see it. */
import type { RedisServer } from '../../support/redis-server.js';
import type { RedisKind } from '../options.js';
import type { RedisRoute } from './redis-route.js';

export interface CheckedRedis {
  readonly kind: RedisKind;
  /** The server that now holds the keys of the users and accepts writes. */
  primary(): Promise<RedisServer>;
  /** Opens the way from one instance to the servers. */
  openRoute(): Promise<RedisRoute>;
  /** Variables that lead an instance over its way. */
  envOf(route: RedisRoute): Readonly<Record<string, string>>;
  /** Every server runs and does its part. Rejects when that does not come. */
  isSettled(): Promise<void>;
  stop(): Promise<void>;
}

/** DEBUG RELOAD is one of the faults. */
export const REDIS_CONFIG = { 'enable-debug-command': 'local' };
