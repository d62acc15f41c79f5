import type { Config } from './config/config.js';
import type { ServiceDatabase } from './database/service-database.js';

/**
 * The first lines for the person who started the service. They contain no secrets but a token that was made at this
 * start: `given` is the configuration before that.
 */
export function greeting(
  address: string,
  { config, embedded }: ServiceDatabase,
  given: Pick<Config, 'cacheAdminToken'>,
): string[] {
  return [
    `Database: ${embedded ? `embedded PostgreSQL, data in ${embedded.dataDirectory}` : placeOf(config.databaseUrl)}`,
    `Cache: ${cacheOf(config)}`,
    `Listening on ${address}`,
    `Try: curl -i '${address}/users?region=US&limit=5' twice, and see Cache-Status`,
    `Docs: ${address}/docs`,
    `Page: ${pageOf(address, config, given)}`,
  ];
}

function pageOf(
  address: string,
  { cacheAdminToken }: Config,
  given: Pick<Config, 'cacheAdminToken'>,
): string {
  if (cacheAdminToken === undefined) return 'closed (set CACHE_ADMIN_TOKEN to open /tidemark)';
  const secret = given.cacheAdminToken === undefined ? `, token ${cacheAdminToken}` : '';
  return `${address}/tidemark${secret}`;
}

/** The address at which clients on this machine reach a service that listens on the host. */
export function addressOf(host: string, port: number): string {
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
}

function cacheOf({ redisUrl, redisSentinels, redisCluster }: Config): string {
  if (redisSentinels) {
    const { name, sentinels } = redisSentinels;
    return `Redis ${name} of the Sentinels ${listOf(sentinels)}`;
  }
  if (redisCluster) return `the Redis Cluster of ${listOf(redisCluster.cluster)}`;
  if (redisUrl === undefined) {
    return 'in this process alone (set REDIS_URL, REDIS_SENTINELS or REDIS_CLUSTER to share it)';
  }
  return placeOf(redisUrl);
}

function listOf(addresses: readonly { readonly host: string; readonly port: number }[]): string {
  const texts = addresses.map(({ host, port }) =>
    host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`,
  );
  return texts.join(', ');
}

function placeOf(url: string | undefined): string {
  if (url === undefined) return 'none';
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}
