import { Redis } from 'ioredis';
import { parseRedisUrl } from './redis-url.js';

export interface RedisClientOptions {
  /** `redis://` or `rediss://`. */
  readonly url: string;
  /** Time limit of a command, in milliseconds. */
  readonly timeoutMs: number;
  /** Shown by CLIENT LIST. */
  readonly connectionName?: string;
}

const CONNECT_TIMEOUT_MS = 2_000;
const KEEP_ALIVE_MS = 10_000;
const DISCONNECT_TIMEOUT_MS = 500;

/**
 * Creates a client for one connection, not open yet. It queues no command: a command that cannot be written to the
 * connection now fails now, and nothing is sent twice. Throws `RedisUrlError`.
 */
export function createRedisClient(options: RedisClientOptions): Redis {
  const { href, protocol, hostname } = parseRedisUrl(options.url);
  // By default the client sends no server name when it opens TLS.
  const servername = hostname.replace(/^\[(.*)\]$/, '$1');
  return new Redis(href, {
    ...(protocol === 'rediss:' ? { tls: { servername } } : {}),
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
  });
}
