import type { ServiceDatabase } from './database/service-database.js';

/** The first lines for the person who started the service. They contain no secrets. */
export function greeting(address: string, { config, embedded }: ServiceDatabase): string[] {
  return [
    `Database: ${embedded ? `embedded PostgreSQL, data in ${embedded.dataDirectory}` : placeOf(config.databaseUrl)}`,
    `Cache: ${config.redisUrl === undefined ? 'in this process alone (set REDIS_URL to share it)' : placeOf(config.redisUrl)}`,
    `Listening on ${address}`,
    `Try: curl -i '${address}/users?region=US&limit=5' twice, and see Cache-Status`,
    `Docs: ${address}/docs`,
  ];
}

/** The address at which clients on this machine reach a service that listens on the host. */
export function addressOf(host: string, port: number): string {
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
}

function placeOf(url: string | undefined): string {
  if (url === undefined) return 'none';
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}
