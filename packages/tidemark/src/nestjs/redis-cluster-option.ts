/** The option `redis` for a Redis Cluster. */
import type { Cluster, RedisOptions } from 'ioredis';
import type { ClusterTarget } from '../redis/cluster/cluster-seeds.js';
import {
  endpointOf,
  type NodeAddress,
  type NodeEndpoint,
} from '../redis/connection/node-address.js';
import { checkAccess, type RedisAccess } from './redis-access.js';
import { refuseOption } from './refused-option.js';

/**
 * Redis Cluster: some of its nodes, which name the others, or a name behind which they are. A client of ioredis has more
 * settings (`natMap`).
 */
export interface QueryCacheClusterOptions extends RedisAccess {
  /** Default port: 6379. */
  readonly cluster: readonly NodeAddress[];
  /** User and password of all nodes. */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** A command that takes longer counts as failed, in milliseconds. Default: 500. */
  readonly timeoutMs?: number | undefined;
}

const DEFAULT_HOST = '127.0.0.1';

/** Never repeats a user or a password. */
export function clusterOf(option: QueryCacheClusterOptions): ClusterTarget {
  const { cluster, username, password, tls = false, credentials } = option;
  const addresses: unknown = cluster;
  if (!Array.isArray(addresses) || addresses.length === 0) {
    refuseOption(
      'redis.cluster',
      'has no addresses',
      'give those of some nodes, as [{ host, port: 6379 }], or leave `redis` out where this process is the only instance',
    );
  }
  const seeds = cluster.map(endpointOf);
  if (!seeds.every(({ host, port }) => isAddress(host, port))) {
    refuseOption(
      'redis.cluster',
      'has an entry that is no address',
      'give a `host` without scheme and brackets, and a `port` from 1 to 65535',
    );
  }
  checkAccess({ tls, credentials }, username !== undefined || password !== undefined);
  const secure = tls === true ? {} : tls;
  const login: RedisOptions = {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  };
  return { seeds, nodeOptions: { ...login, ...(secure ? { tls: secure } : {}) }, credentials };
}

/** The cluster of a client, which stays untouched. */
export function clusterBehind(client: Cluster): ClusterTarget {
  // Not in the types of ioredis.
  const { startupNodes } = client as unknown as { readonly startupNodes: readonly StartupNode[] };
  const { redisOptions = {}, natMap } = client.options;
  return { seeds: startupNodes.map(seedOf), nodeOptions: redisOptions, natMap };
}

export function isAddress(host: unknown, port: number): boolean {
  const isHost = typeof host === 'string' && /^[^\s/@[\]]+$/.test(host);
  return isHost && Number.isInteger(port) && port >= 1 && port <= 65_535;
}

/** As ioredis takes it: a port, a URL or `host:port`, or an object. */
type StartupNode = string | number | { readonly host?: string; readonly port?: number };

function seedOf(node: StartupNode): NodeEndpoint {
  if (typeof node === 'number') return { host: DEFAULT_HOST, port: node };
  if (typeof node === 'object') return endpointOf({ host: DEFAULT_HOST, ...node });
  if (/^\d+$/.test(node)) return { host: DEFAULT_HOST, port: Number(node) };
  const { hostname, port } = new URL(node.includes('://') ? node : `redis://${node}`);
  const host = hostname.replace(/^\[(.*)\]$/, '$1') || DEFAULT_HOST;
  return endpointOf({ host, ...(port === '' ? {} : { port: Number(port) }) });
}
