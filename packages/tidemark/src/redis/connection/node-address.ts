/** The addresses of nodes of Redis Cluster. */

const DEFAULT_PORT = 6379;

export interface NodeAddress {
  /** A name or an address, IPv6 without brackets. */
  readonly host: string;
  /** Default: 6379. */
  readonly port?: number | undefined;
}

/** Of a node, or of all nodes that hide behind one name. */
export interface NodeEndpoint {
  readonly host: string;
  readonly port: number;
}

export function endpointOf({ host, port = DEFAULT_PORT }: NodeAddress): NodeEndpoint {
  return { host, port };
}

/** `host:port`, with an IPv6 host in brackets. */
export function describeEndpoint({ host, port }: NodeEndpoint): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
