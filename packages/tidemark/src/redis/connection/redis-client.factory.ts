import { Redis, type RedisOptions } from 'ioredis';
import { describeRedisAddress, parseRedisUrl } from './redis-url.js';

/** A URL, `redis://` or `rediss://`; or a client, which is duplicated and stays untouched. */
export type RedisTarget = { readonly url: string } | { readonly client: Redis };

export type RedisClientOptions = RedisTarget & {
  /** Time limit of a command, in milliseconds. */
  readonly timeoutMs: number;
  /** Shown by CLIENT LIST. */
  readonly connectionName?: string;
};

const CONNECT_TIMEOUT_MS = 2_000;
const KEEP_ALIVE_MS = 10_000;
const DISCONNECT_TIMEOUT_MS = 500;

/**
 * Creates a client for one connection, not open yet. It queues no command: a command that cannot be written to the
 * connection now fails now, and nothing is sent twice. Throws `RedisUrlError`.
 */
export function createRedisClient(options: RedisClientOptions): Redis {
  const settings = settingsOf(options);
  if ('client' in options) return options.client.duplicate({ ...settings, ...NO_OTHER_HABITS });
  const { href, protocol, hostname } = parseRedisUrl(options.url);
  // By default the client sends no server name when it opens TLS.
  const servername = hostname.replace(/^\[(.*)\]$/, '$1');
  return new Redis(href, {
    ...(protocol === 'rediss:' ? { tls: { servername } } : {}),
    ...settings,
  });
}

/** The address without user and password, for logs and health. */
export function addressOf(target: RedisTarget): string {
  if ('url' in target) return describeRedisAddress(parseRedisUrl(target.url));
  const { path, tls, host, port, db = 0 } = target.client.options;
  if (path !== undefined && path !== null) return `${path}/${db}`;
  return `${tls ? 'rediss' : 'redis'}://${host}:${port}/${db}`;
}

/** Settings of a client that would change commands, keys or answers of its duplicate. */
const NO_OTHER_HABITS = {
  keyPrefix: '',
  readOnly: false,
  stringNumbers: false,
  enableAutoPipelining: false,
  monitor: false,
  reconnectOnError: null,
} satisfies RedisOptions;

function settingsOf(options: RedisClientOptions): RedisOptions {
  return {
    ...(options.connectionName === undefined ? {} : { connectionName: options.connectionName }),
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    // RedisConnection itself reads INFO and opens the next connection.
    enableReadyCheck: false,
    retryStrategy: () => null,
    connectTimeout: Math.max(CONNECT_TIMEOUT_MS, options.timeoutMs),
    disconnectTimeout: DISCONNECT_TIMEOUT_MS,
    keepAlive: KEEP_ALIVE_MS,
    // Needs a permission, for a feature that the service does not use.
    disableClientInfo: true,
    noDelay: true,
  };
}
