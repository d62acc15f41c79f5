/** The one place that makes Redis clients, so that every client obeys the same rules of failure. */
import { Redis } from 'ioredis';
import type { RedisLog } from './outage-state.js';
import type { RedisConnectionOptions } from './redis-connection.options.js';
import { RedisConnection } from './redis-connection.js';
import { describeRedisAddress, parseRedisUrl } from './redis-url.js';

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
const LONGEST_LOADING_RETRY_MS = 500;

/**
 * A client that has not connected yet and that keeps no command waiting: what cannot be written to
 * a working connection now fails now, and nothing is sent a second time over another connection.
 * Throws `RedisUrlError`.
 */
export function createRedisClient(options: RedisClientOptions): Redis {
  const { href, protocol, hostname } = parseRedisUrl(options.url);
  // By itself the client names no server when it opens TLS.
  const servername = hostname.replace(/^\[(.*)\]$/, '$1');
  const client = new Redis(href, {
    ...(protocol === 'rediss:' ? { tls: { servername } } : {}),
    ...(options.connectionName === undefined ? {} : { connectionName: options.connectionName }),
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    // NOTE: 0, not null: only then are the commands in flight rejected when their connection closes.
    maxRetriesPerRequest: 0,
    // The connection above it tries again (reconnect-timer.ts).
    retryStrategy: () => null,
    connectTimeout: Math.max(CONNECT_TIMEOUT_MS, options.timeoutMs),
    disconnectTimeout: DISCONNECT_TIMEOUT_MS,
    maxLoadingRetryTime: LONGEST_LOADING_RETRY_MS,
    keepAlive: KEEP_ALIVE_MS,
    // Needs a permission, for nothing that the service uses.
    disableClientInfo: true,
    noDelay: true,
  });
  // Without a listener the client prints errors by itself; the connection above it reports them.
  client.on('error', () => undefined);
  return client;
}

/** Starts to connect and returns at once; never rejects or throws because Redis is away. */
export function openRedisConnection(
  options: RedisClientOptions & Pick<RedisConnectionOptions, 'heartbeat' | 'onOutOfMemory'>,
  log: RedisLog,
): RedisConnection {
  const address = describeRedisAddress(parseRedisUrl(options.url));
  const connection = new RedisConnection(createRedisClient(options), { ...options, address, log });
  connection.start();
  return connection;
}
