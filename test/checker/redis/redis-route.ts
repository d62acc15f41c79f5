/** The way from one instance to Redis: a proxy before each server and each Sentinel. */
import type { RedisServer } from '../../support/redis-server.js';
import { TcpProxy } from '../../support/tcp-proxy.js';

export class RedisRoute {
  readonly #proxies = new Map<RedisServer, TcpProxy>();
  /** What replies name, and what the instance gets instead. */
  readonly #serverPorts = new Map<number, number>();
  #isRefusing = false;

  /** @param namedPort the port by which other servers and Sentinels name this one. */
  async add(server: RedisServer, namedPort = server.port): Promise<void> {
    const proxy = await TcpProxy.open(server.port, undefined, this.#serverPorts);
    if (this.#isRefusing) proxy.refuse();
    this.#proxies.set(server, proxy);
    this.#serverPorts.set(namedPort, proxy.port);
  }

  /** The server is gone for good. */
  async remove(server: RedisServer): Promise<void> {
    await this.to(server).close();
    this.#proxies.delete(server);
  }

  to(server: RedisServer): TcpProxy {
    const proxy = this.#proxies.get(server);
    if (!proxy) throw new Error(`No proxy leads to the server on port ${server.port}`);
    return proxy;
  }

  /** `host:port` of the proxies before these servers, separated by commas. */
  addressesOf(servers: readonly RedisServer[]): string {
    return servers.map((server) => `127.0.0.1:${this.to(server).port}`).join();
  }

  /** Closes every connection and every new one, until {@link accept}. */
  refuse(): void {
    this.#isRefusing = true;
    for (const proxy of this.#proxies.values()) proxy.refuse();
  }

  accept(): void {
    this.#isRefusing = false;
    for (const proxy of this.#proxies.values()) proxy.accept();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#proxies.values()].map((proxy) => proxy.close()));
  }
}
