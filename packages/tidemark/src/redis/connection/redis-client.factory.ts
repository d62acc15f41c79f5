import { Redis } from 'ioredis';
import { parseRedisUrl } from './redis-url.js';

export interface RedisClientOptions {
  /** `redis://` or `rediss://`. */
  readonly url: string;
  /** How long a command may take. */
  readonly timeoutMs: number;
  /** Shown by CLIENT LIST. */
  readonly connectionName?: string;
}

const CONNECT_TIMEOUT_MS = 2_000;
const KEEP_ALIVE_MS = 10_000;
const DISCONNECT_TIMEOUT_MS = 500;

/**
 * A client for one connection, not open yet. It keeps no command waiting: a command that cannot be written to the
 * connection now fails now, and nothing is sent a second time. Throws `RedisUrlError`.
 */
export function createRedisClient(options: RedisClientOptions): Redis {
  const { href, protocol, hostname } = parseRedisUrl(options.url);
  // By itself the client names no server when it opens TLS.
  const servername = hostname.replace(/^\[(.*)\]$/, '$1');
  return new Redis(href, {
    ...(protocol === 'rediss:' ? { tls: { servername } } : {}),
    ...(options.connectionName === undefined ? {} : { connectionName: options.connectionName }),
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    // RedisConnection reads INFO itself, and opens the next connection.
    enableReadyCheck: false,
    retryStrategy: () => null,
    connectTimeout: Math.max(CONNECT_TIMEOUT_MS, options.timeoutMs),
    disconnectTimeout: DISCONNECT_TIMEOUT_MS,
    keepAlive: KEEP_ALIVE_MS,
    // Needs a permission, for nothing that the service uses.
    disableClientInfo: true,
    noDelay: true,
  });
}
