/** The option `redis`: where Redis is, in each of its forms. */
import type { Redis } from 'ioredis';
import type { RedisTarget } from '../redis/connection/redis-client.factory.js';
import { RedisUrlError } from '../redis/connection/redis.errors.js';
import { parseRedisUrl } from '../redis/connection/redis-url.js';
import { refuseOption } from './refused-option.js';

/** The Redis of a cache: by `url` or `client`. */
export interface QueryCacheRedisOptions {
  /** `redis://` or `rediss://` with the usual user, password and database number. */
  readonly url?: string | undefined;
  /** Instead of `url`: a client of ioredis. The cache duplicates it, and neither uses nor closes it. */
  readonly client?: Redis | undefined;
  /** A command that takes longer counts as failed, in milliseconds. Default: 500. */
  readonly timeoutMs?: number | undefined;
}

/** A URL, a client of ioredis, or one of both with settings. */
export type RedisOption = string | Redis | QueryCacheRedisOptions;

export type RedisSettings = RedisTarget & { readonly timeoutMs: number };

const DEFAULT_TIMEOUT_MS = 500;
const FOR_ONE_PROCESS = 'leave `redis` out where this process is the only instance';

/** @throws Error that names the option and the remedy. */
export function resolveRedis(option: RedisOption | undefined): RedisSettings | undefined {
  if (option === undefined) return undefined;
  if (typeof option === 'string') return { url: urlOf(option, 'redis'), ...timeoutOf({}) };
  if (isClient(option)) return { client: clientOf(option, 'redis'), ...timeoutOf({}) };
  const { url, client } = option;
  if (client !== undefined) {
    if (url !== undefined) refuseOption('redis', 'has both `url` and `client`', 'give one of them');
    return { client: clientOf(client, 'redis.client'), ...timeoutOf(option) };
  }
  return { url: urlOf(url, 'redis.url'), ...timeoutOf(option) };
}

function timeoutOf({ timeoutMs = DEFAULT_TIMEOUT_MS }: QueryCacheRedisOptions): {
  readonly timeoutMs: number;
} {
  if (timeoutMs >= 1) return { timeoutMs };
  return refuseOption('redis.timeoutMs', `cannot be ${timeoutMs}`, 'give 1 or more');
}

/** Never repeats the URL: it may contain a password. */
function urlOf(url: string | undefined, option: string): string {
  const remedy = `write redis://[user:password@]host[:port][/database], or ${FOR_ONE_PROCESS}`;
  if (url === undefined) return refuseOption(option, 'is unset', remedy);
  if (url === '') return refuseOption(option, 'is an empty text', remedy);
  try {
    parseRedisUrl(url);
    return url;
  } catch (error) {
    if (!(error instanceof RedisUrlError)) throw error;
    return refuseOption(option, error.problem, remedy);
  }
}

function clientOf(client: Redis, option: string): Redis {
  if (!isClient(client)) {
    return refuseOption(option, 'is no client of ioredis', 'give `new Redis(...)` of ioredis 5');
  }
  if (client.isCluster) {
    refuseOption(
      option,
      'is a client of Redis Cluster, which is not supported yet',
      'give a client of one Redis server',
    );
  }
  if (client.options.sentinels) {
    refuseOption(
      option,
      'is a client of Redis Sentinel, which is not supported yet',
      'give a client of the primary itself',
    );
  }
  return client;
}

/** The application may have another copy of ioredis, so its class does not identify a client. */
function isClient(value: object): value is Redis {
  return 'duplicate' in value && 'options' in value;
}
