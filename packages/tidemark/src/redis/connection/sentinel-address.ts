/** The addresses of Redis Sentinel, as `host:port` with an IPv6 host in brackets. */

export const DEFAULT_SENTINEL_PORT = 26_379;

export interface SentinelAddress {
  readonly host: string;
  /** Default: 26379. */
  readonly port?: number | undefined;
}

export function describeSentinel({ host = '127.0.0.1', port }: Partial<SentinelAddress>): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return `${name}:${port ?? DEFAULT_SENTINEL_PORT}`;
}
