import { Redis, type RedisOptions } from 'ioredis';
import type { ConnectionOptions } from 'node:tls';
import type { CredentialsSource } from './credentials.js';
import { describeEndpoint, type NodeEndpoint } from './node-address.js';
import { describeRedisAddress, parseRedisUrl } from './redis-url.js';
import { describeSentinel, type SentinelAddress } from './sentinel-address.js';
import { SentinelConnector } from './sentinel-connector.js';
import { withServerName } from './server-name.js';

/** One server. */
export interface UrlTarget {
  /** `redis://` or `rediss://`. */
  readonly url: string;
  /** Settings of TLS where the URL begins with `rediss://`. */
  readonly tls?: ConnectionOptions | undefined;
  readonly credentials?: CredentialsSource | undefined;
}

/** The primary that the Sentinels know by the name. */
export interface SentinelTarget {
  readonly sentinels: readonly SentinelAddress[];
  readonly name: string;
  /** User and password of the Redis servers. */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Instead of `username` and `password`. */
  readonly credentials?: CredentialsSource | undefined;
  /** User and password of the Sentinels. */
  readonly sentinelUsername?: string | undefined;
  readonly sentinelPassword?: string | undefined;
  /** Default: 0. */
  readonly database?: number | undefined;
  /** TLS to the Redis servers and to the Sentinels. */
  readonly tls?: boolean | ConnectionOptions | undefined;
}

/** A URL; Sentinels; or a client, which is duplicated and stays untouched. */
export type RedisTarget =
  UrlTarget | { readonly client: Redis; readonly credentials?: undefined } | SentinelTarget;

/** One node of a Redis Cluster. */
export interface ClusterNodeTarget extends NodeEndpoint {
  /** User, password and TLS of the nodes. */
  readonly ofCluster: RedisOptions;
  /** Instead of user and password. */
  readonly credentials?: CredentialsSource | undefined;
}

export type RedisClientOptions = (RedisTarget | ClusterNodeTarget) & {
  /** Time limit of a command, in milliseconds. */
  readonly timeoutMs: number;
  /** Shown by CLIENT LIST. */
  readonly connectionName?: string;
};

const CONNECT_TIMEOUT_MS = 2_000;
const KEEP_ALIVE_MS = 10_000;
const DISCONNECT_TIMEOUT_MS = 500;
/** A Sentinel that hangs takes at most a quarter of the time limit of an attempt to connect. */
const MAX_SENTINEL_MS = 500;

/**
 * Creates a client for one connection, not open yet. It queues no command: a command that cannot be written to the
 * connection now fails now, and nothing is sent twice. Throws `RedisUrlError`.
 */
export function createRedisClient(options: RedisClientOptions): Redis {
  const settings = settingsOf(options);
  if ('client' in options) {
    const { client } = options;
    const bySentinels = client.options.sentinels ? sentinelSettings(options) : {};
    return client.duplicate({ ...settings, ...NO_OTHER_HABITS, ...bySentinels });
  }
  if ('sentinels' in options) {
    return new Redis({ ...sentinelOptions(options), ...settings, ...sentinelSettings(options) });
  }
  if ('ofCluster' in options) {
    return new Redis({ ...nodeOptions(options), ...settings, ...NO_OTHER_HABITS });
  }
  const { href, protocol, hostname } = parseRedisUrl(options.url);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  return new Redis(href, {
    ...(protocol === 'rediss:' ? { tls: withServerName(host, options.tls ?? {}) } : {}),
    ...settings,
  });
}

/** The address without user and password, for logs and health. */
export function addressOf(target: RedisTarget | ClusterNodeTarget): string {
  if ('url' in target) return describeRedisAddress(parseRedisUrl(target.url));
  if ('ofCluster' in target) {
    return `${target.ofCluster.tls ? 'rediss' : 'redis'}://${describeEndpoint(target)}`;
  }
  if ('sentinels' in target) return addressBySentinels(target);
  const { path, tls, host, port, db = 0, sentinels, name } = target.client.options;
  if (sentinels) return addressBySentinels({ sentinels, name: name ?? '', database: db });
  if (path !== undefined && path !== null) return `${path}/${db}`;
  return `${tls ? 'rediss' : 'redis'}://${host?.includes(':') ? `[${host}]` : host}:${port}/${db}`;
}

function addressBySentinels({
  sentinels,
  name,
  database = 0,
}: {
  readonly sentinels: readonly Partial<SentinelAddress>[];
  readonly name: string;
  readonly database?: number | undefined;
}): string {
  return `${name}/${database} of the sentinels ${sentinels.map(describeSentinel).join(', ')}`;
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

function sentinelSettings({ timeoutMs }: RedisClientOptions): RedisOptions {
  return {
    Connector: SentinelConnector,
    // As a heartbeat has. An urgent command waits for an attempt within its own time limit.
    sentinelCommandTimeout: Math.min(MAX_SENTINEL_MS, timeoutMs / 2),
  };
}

function sentinelOptions(target: SentinelTarget): RedisOptions {
  const { sentinels, name, username, password, sentinelUsername, sentinelPassword } = target;
  const { database = 0, tls = false } = target;
  const secure = tls === true ? {} : tls;
  return {
    sentinels: sentinels.map(({ host, port }) => (port === undefined ? { host } : { host, port })),
    name,
    username,
    password,
    sentinelUsername,
    sentinelPassword,
    db: database,
    ...(secure ? { tls: secure, sentinelTLS: secure, enableTLSForSentinelMode: true } : {}),
  };
}

function nodeOptions({ host, port, ofCluster }: ClusterNodeTarget): RedisOptions {
  const { tls } = ofCluster;
  return { ...ofCluster, ...(tls ? { tls: withServerName(host, tls) } : {}), host, port, db: 0 };
}

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
