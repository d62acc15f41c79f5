import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';

/** By default Node sends no server name when it opens TLS. An address is not a valid one. */
export function withServerName(host: string, tls: ConnectionOptions): ConnectionOptions {
  return isIP(host) ? tls : { servername: host, ...tls };
}
