/** The option `redis`: where Redis is, in each of its forms. */
import type { Cluster, Redis } from 'ioredis';
import type { ConnectionOptions } from 'node:tls';
import {
  addressOf,
  type RedisTarget,
  type SentinelTarget,
  type UrlTarget,
} from '../redis/connection/redis-client.factory.js';
import { DEFAULT_SENTINEL_PORT } from '../redis/connection/sentinel-address.js';
import { RedisUrlError } from '../redis/connection/redis.errors.js';
import { parseRedisUrl } from '../redis/connection/redis-url.js';
import { describeCluster, type ClusterTarget } from '../redis/cluster/cluster-seeds.js';
import { checkAccess, type RedisAccess } from './redis-access.js';
import { refuseOption } from './refused-option.js';
import {
  clusterBehind,
  clusterOf,
  isAddress,
  type QueryCacheClusterOptions,
} from './redis-cluster-option.js';

/** The Redis of a cache: by `url` or `client`. */
export interface QueryCacheRedisOptions extends RedisAccess {
  /** `redis://` or `rediss://` with the usual user, password and database number. */
  readonly url?: string | undefined;
  /** For `rediss://`. */
  readonly tls?: ConnectionOptions | undefined;
  /**
   * Instead of `url`: a client of ioredis. The cache takes its settings at each connect, and neither uses nor closes it. Its
   * `keyPrefix` does not hold for the cache, whose keys begin with `namespace`.
   */
  readonly client?: Redis | Cluster | undefined;
  /** A command that takes longer counts as failed, in milliseconds. Default: 500. */
  readonly timeoutMs?: number | undefined;
}

/**
 * Redis Sentinel: the Sentinels are asked for the primary at each connect, and followed. A client of ioredis has more
 * settings (`natMap`, another TLS for the Sentinels).
 */
export interface QueryCacheSentinelOptions extends SentinelTarget {
  /** A command that takes longer counts as failed, in milliseconds. Default: 500. */
  readonly timeoutMs?: number | undefined;
}

/** A URL, a client of ioredis, one of both with settings, Sentinels, or the nodes of a cluster. */
export type RedisOption =
  | string
  | Redis
  | Cluster
  | QueryCacheRedisOptions
  | QueryCacheSentinelOptions
  | QueryCacheClusterOptions;

export type RedisSettings = (RedisTarget | ClusterTarget) & { readonly timeoutMs: number };

const DEFAULT_TIMEOUT_MS = 500;
const PLACES = ['url', 'client', 'sentinels', 'cluster'];
const FOR_ONE_PROCESS = 'leave `redis` out where this process is the only instance';

/** @throws Error that names the option and the remedy. */
export function resolveRedis(option: RedisOption | undefined): RedisSettings | undefined {
  if (option === undefined) return undefined;
  if (typeof option === 'string') return { url: urlOf(option, 'redis'), ...timeoutOf({}) };
  if (isClient(option)) return { ...clientOf(option, 'redis'), ...timeoutOf({}) };
  refuseTwoPlaces(option);
  if ('sentinels' in option) return { ...sentinelsOf(option), ...timeoutOf(option) };
  if ('cluster' in option) return { ...clusterOf(option), ...timeoutOf(option) };
  if (option.client === undefined) return { ...urlTargetOf(option), ...timeoutOf(option) };
  const { client, tls, credentials } = option;
  if (tls !== undefined || credentials !== undefined) {
    refuseOption(
      'redis.client',
      'is set beside `tls` or `credentials`',
      'give the client its own `tls`, `username` and `password`, or give a `url` instead of the client',
    );
  }
  return { ...clientOf(client, 'redis.client'), ...timeoutOf(option) };
}

function urlTargetOf({ url: given, tls, credentials }: QueryCacheRedisOptions): UrlTarget {
  const url = urlOf(given, 'redis.url');
  const { protocol, username, password } = parseRedisUrl(url);
  if (tls !== undefined && protocol !== 'rediss:') {
    refuseOption(
      'redis.tls',
      'is set beside a URL without TLS',
      'begin `redis.url` with rediss://',
    );
  }
  checkAccess({ tls, credentials }, username !== '' || password !== '');
  return { url, tls, credentials };
}

/** The same text for the same Redis, without user and password. */
export function placeOf(redis: RedisSettings): string {
  return 'seeds' in redis ? describeCluster(redis) : addressOf(redis);
}

function refuseTwoPlaces(option: Exclude<RedisOption, string | Redis | Cluster>): void {
  const given: Readonly<Record<string, unknown>> = { ...option };
  const places = PLACES.filter((name) => given[name] !== undefined).map((name) => `\`${name}\``);
  if (places.length < 2) return;
  refuseOption('redis', `has both ${places.join(' and ')}`, 'give one of them');
}

/** Never repeats a user or a password. */
function sentinelsOf(option: QueryCacheSentinelOptions): SentinelTarget {
  const { sentinels, name, database = 0, username, password } = option;
  const addresses: unknown = sentinels;
  if (!Array.isArray(addresses) || addresses.length === 0) {
    refuseOption(
      'redis.sentinels',
      'has no addresses',
      `give those of all Sentinels, as [{ host, port: ${DEFAULT_SENTINEL_PORT} }], or ${FOR_ONE_PROCESS}`,
    );
  }
  for (const { host, port = DEFAULT_SENTINEL_PORT } of sentinels) {
    if (isAddress(host, port)) continue;
    refuseOption(
      'redis.sentinels',
      'has an entry that is no address',
      'give a `host` without scheme and brackets, and a `port` from 1 to 65535',
    );
  }
  if (typeof name !== 'string' || name === '') {
    refuseOption(
      'redis.name',
      'is unset',
      'give the name of the primary in the configuration of the Sentinels, such as mymaster',
    );
  }
  if (!Number.isInteger(database) || database < 0) {
    refuseOption('redis.database', `cannot be ${String(database)}`, 'give a number of 0 or more');
  }
  checkAccess(option, username !== undefined || password !== undefined);
  return option;
}

function timeoutOf({ timeoutMs = DEFAULT_TIMEOUT_MS }: Pick<QueryCacheRedisOptions, 'timeoutMs'>): {
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

function clientOf(client: Redis | Cluster, option: string): { client: Redis } | ClusterTarget {
  if (!isClient(client)) {
    return refuseOption(option, 'is no client of ioredis', 'give `new Redis(...)` of ioredis 5');
  }
  return isCluster(client) ? clusterBehind(client) : { client };
}

/** The application may have another copy of ioredis, so its class does not identify a client. */
function isClient(value: object): value is Redis | Cluster {
  return 'duplicate' in value && 'options' in value;
}

function isCluster(client: Redis | Cluster): client is Cluster {
  return client.isCluster;
}
