/**
 * A primary of Redis, two replicas and three Sentinels for one test, on free ports. All of them end with the test
 * process, however that ends.
 */
import { eventually } from './eventually.js';
import { withClient } from './redis-server-client.js';
import { RedisServer } from './redis-server.js';
import { TcpProxy } from './tcp-proxy.js';

const HOST = '127.0.0.1';
const REPLICAS = 2;
const SENTINELS = 3;
/** A Sentinel counts a server as down after this time without an answer. */
export const DOWN_AFTER_MS = '1000';
/** After this time without progress, a failover has failed. */
const FAILOVER_TIMEOUT_MS = 3_000;
/** Sentinels are made for pauses of seconds between their looks at each other and at the servers. */
const PERIODS = ['info-period', 'publish-period', 'ask-period', 'ping-period'].flatMap((period) => [
  period,
  '200',
]);

export interface SentinelClusterOptions {
  /** Of the servers of data. */
  readonly password?: string;
  readonly sentinelPassword?: string;
  /** Lines of redis.conf of the servers of data. */
  readonly config?: Readonly<Record<string, string>>;
  /** Replicas and Sentinels reach each server by a proxy, its {@link SentinelCluster.linkTo}. */
  readonly hasLinks?: boolean;
}

export class SentinelCluster {
  readonly name = 'mymaster';
  readonly #servers: RedisServer[] = [];
  readonly #sentinels: RedisServer[] = [];
  readonly #links = new Map<RedisServer, TcpProxy>();

  private constructor(private readonly options: SentinelClusterOptions) {}

  static async start(options: SentinelClusterOptions = {}): Promise<SentinelCluster> {
    const cluster = new SentinelCluster(options);
    try {
      await cluster.#start();
      await cluster.#join();
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  /** The first primary, then its replicas. */
  get servers(): readonly RedisServer[] {
    return this.#servers;
  }

  get sentinels(): readonly RedisServer[] {
    return this.#sentinels;
  }

  /** The option `redis` of an application that uses it. */
  get target() {
    const { password, sentinelPassword } = this.options;
    return {
      sentinels: this.sentinels.map(({ port }) => ({ host: HOST, port })),
      name: this.name,
      ...(password === undefined ? {} : { password }),
      ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
    };
  }

  /** The server that the first Sentinel left names now. */
  async primary(): Promise<RedisServer> {
    const sentinel = this.sentinels.find(({ isRunning }) => isRunning);
    if (!sentinel) throw new Error('No Sentinel is left');
    const address = await this.#ask(sentinel, 'GET-MASTER-ADDR-BY-NAME', this.name);
    const [, port] = address as string[];
    const server = this.servers.find((one) => this.portOf(one) === Number(port));
    if (!server) throw new Error(`No server has the port ${port}`);
    return server;
  }

  /**
   * SENTINEL FAILOVER; returns when all Sentinels left name another primary. The Sentinels give up one that takes too
   * long, as on a busy machine, and begin none by themselves: it is begun again.
   */
  async failOver(): Promise<void> {
    const before = await this.primary();
    await eventually(async () => {
      if ((await this.primary()) === before) await this.beginFailover();
      await this.hasLeft(before, 2 * FAILOVER_TIMEOUT_MS);
    }, 60_000);
  }

  async beginFailover(): Promise<void> {
    const sentinel = this.sentinels.find(({ isRunning }) => isRunning);
    if (!sentinel) throw new Error('No Sentinel is left');
    // Refused while no replica is known to be good, and for a while after another failover.
    await eventually(() => this.#ask(sentinel, 'FAILOVER', this.name));
  }

  /** SENTINEL SET by every Sentinel. */
  async set(option: string, value: string): Promise<void> {
    for (const sentinel of this.sentinels)
      await this.#ask(sentinel, 'SET', this.name, option, value);
  }

  /** All Sentinels left name another primary. */
  async hasLeft(server: RedisServer, limitMs = 60_000): Promise<void> {
    for (const sentinel of this.sentinels) {
      if (sentinel.isRunning) await eventually(() => this.#isLeftBy(sentinel, server), limitMs);
    }
  }

  /** The first Sentinel names another primary. */
  async hasElectedAfter(server: RedisServer): Promise<void> {
    await eventually(async () => {
      const running = this.sentinels.filter(({ isRunning }) => isRunning);
      await Promise.any(running.map((sentinel) => this.#isLeftBy(sentinel, server)));
    }, 60_000);
  }

  /** The Sentinels left name the same primary, which runs; every other server follows it. */
  async isSettled(): Promise<void> {
    await eventually(async () => {
      const primary = await this.primary();
      const isEverything = this.servers.every(({ isRunning }) => isRunning);
      if (!isEverything) throw new Error('A server is away');
      const found = await this.infoOf(primary, 'connected_slaves');
      if (found !== String(REPLICAS)) throw new Error(`The primary has ${found} replicas`);
      for (const server of this.servers) {
        if (server !== primary) await this.#isInStep(server);
      }
      await Promise.all(this.sentinels.map((sentinel) => this.#knowsAll(sentinel, primary)));
    }, 60_000);
  }

  /** Starts a Sentinel again that was killed. It knows what it knew. */
  async restartSentinel(sentinel: RedisServer): Promise<void> {
    await sentinel.restart();
    await this.#ask(sentinel, 'DEBUG', ...PERIODS);
  }

  /** How replicas and Sentinels reach a server, where they do by a proxy. */
  linkTo(server: RedisServer): TcpProxy {
    const link = this.#links.get(server);
    if (!link) throw new Error('Start the cluster with links');
    return link;
  }

  /** The port by which replicas, Sentinels and clients know the server. */
  portOf(server: RedisServer): number {
    return this.#links.get(server)?.port ?? server.port;
  }

  /** A field of INFO. */
  async infoOf(server: RedisServer, field: string): Promise<string | undefined> {
    const text = await this.command(server, 'INFO');
    return new RegExp(`^${field}:(.*?)\r?$`, 'm').exec(String(text))?.[1];
  }

  /** One command to a server of data, over a separate connection. */
  command(server: RedisServer, name: string, ...words: readonly string[]): Promise<unknown> {
    return withClient(server, this.options.password, (client) => client.call(name, ...words));
  }

  /** The server refuses to become a replica: after a failover it answers as a primary, as one that is cut off does. */
  async keepPrimary(server: RedisServer): Promise<void> {
    await this.command(server, 'ACL', 'SETUSER', 'default', '-slaveof', '-replicaof');
  }

  async stop(): Promise<void> {
    await Promise.all([...this.sentinels, ...this.servers].map((server) => server.stop()));
    await Promise.all([...this.#links.values()].map((link) => link.close()));
  }

  /** One after another: the machine has few cores. */
  async #start(): Promise<void> {
    const { password, sentinelPassword, config, hasLinks = false } = this.options;
    const login = password === undefined ? {} : { requirepass: password, masterauth: password };
    const settings = { ...login, 'repl-diskless-sync-delay': '0', ...config };
    while (this.#servers.length < 1 + REPLICAS) {
      this.#servers.push(await (hasLinks ? this.#startLinked(settings) : startServer(settings)));
    }
    const sentinelLogin = sentinelPassword === undefined ? {} : { requirepass: sentinelPassword };
    while (this.#sentinels.length < SENTINELS) {
      this.#sentinels.push(await RedisServer.start({ isSentinel: true, config: sentinelLogin }));
    }
  }

  async #startLinked(config: Readonly<Record<string, string>>): Promise<RedisServer> {
    const link = await TcpProxy.open(0);
    const server = await startServer({ ...config, 'replica-announce-port': String(link.port) });
    link.retarget(server.port);
    this.#links.set(server, link);
    return server;
  }

  async #join(): Promise<void> {
    const [primary, ...replicas] = this.servers;
    if (!primary) throw new Error('No server was started');
    const port = String(this.portOf(primary));
    for (const replica of replicas) await this.command(replica, 'REPLICAOF', HOST, port);
    for (const replica of replicas) await eventually(() => this.#isInStep(replica));
    const { password } = this.options;
    const login = password === undefined ? [] : ['auth-pass', password];
    const failoverTimeout = ['failover-timeout', String(FAILOVER_TIMEOUT_MS)];
    const settings = ['down-after-milliseconds', DOWN_AFTER_MS, ...failoverTimeout];
    const others = ['parallel-syncs', String(REPLICAS)];
    for (const sentinel of this.sentinels) {
      await this.#ask(sentinel, 'MONITOR', this.name, HOST, port, '2');
      await this.#ask(sentinel, 'SET', this.name, ...login, ...settings, ...others);
      await this.#ask(sentinel, 'DEBUG', ...PERIODS);
    }
    for (const sentinel of this.sentinels) {
      await eventually(() => this.#knowsAll(sentinel, primary));
    }
  }

  async #isLeftBy(sentinel: RedisServer, server: RedisServer): Promise<void> {
    const address = await this.#ask(sentinel, 'GET-MASTER-ADDR-BY-NAME', this.name);
    if ((address as string[])[1] === String(this.portOf(server))) {
      throw new Error('No other primary has been elected yet');
    }
  }

  async #isInStep(replica: RedisServer): Promise<void> {
    const link = await this.infoOf(replica, 'master_link_status');
    if (link !== 'up') throw new Error('A replica is not in step yet');
  }

  async #knowsAll(sentinel: RedisServer, primary: RedisServer): Promise<void> {
    const found = (await this.#ask(sentinel, 'MASTER', this.name)) as string[];
    const field = (name: string): string | undefined => found[found.indexOf(name) + 1];
    const known = [field('port'), field('num-slaves'), field('num-other-sentinels')];
    const expected = [this.portOf(primary), REPLICAS, SENTINELS - 1];
    if (known.join() !== expected.join() || field('flags') !== 'master') {
      throw new Error(
        `A Sentinel knows ${known.join()} (${field('flags')}) instead of ${expected.join()}`,
      );
    }
  }

  #ask(sentinel: RedisServer, ...words: readonly string[]): Promise<unknown> {
    return withClient(sentinel, this.options.sentinelPassword, (client) =>
      client.call('SENTINEL', ...words),
    );
  }
}

function startServer(config: Readonly<Record<string, string>>): Promise<RedisServer> {
  return RedisServer.start({ config });
}
