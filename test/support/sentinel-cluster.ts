/**
 * A primary of Redis, two replicas and three Sentinels for one test, on free ports. All of them end with the test
 * process, however that ends.
 */
import { eventually } from './eventually.js';
import { withClient } from './redis-server-client.js';
import { RedisServer, type RedisServerOptions } from './redis-server.js';

const HOST = '127.0.0.1';
const REPLICAS = 2;
const SENTINELS = 3;
/** A Sentinel counts a server as down after this time without an answer. */
const DOWN_AFTER_MS = '1000';
/** Sentinels are made for pauses of seconds between their looks at each other and at the servers. */
const PERIODS = ['info-period', 'publish-period', 'ask-period', 'ping-period'].flatMap((period) => [
  period,
  '200',
]);

export interface SentinelClusterOptions {
  /** Of the servers of data. */
  readonly password?: string;
  readonly sentinelPassword?: string;
}

export class SentinelCluster {
  readonly name = 'mymaster';

  private constructor(
    /** The first primary, then its replicas. */
    readonly servers: readonly RedisServer[],
    readonly sentinels: readonly RedisServer[],
    private readonly options: SentinelClusterOptions,
  ) {}

  static async start(options: SentinelClusterOptions = {}): Promise<SentinelCluster> {
    const { password, sentinelPassword } = options;
    const login = password === undefined ? {} : { requirepass: password, masterauth: password };
    const config = { ...login, 'repl-diskless-sync-delay': '0' };
    const servers = await startAll(1 + REPLICAS, { config });
    const sentinels = await startAll(SENTINELS, {
      isSentinel: true,
      config: sentinelPassword === undefined ? {} : { requirepass: sentinelPassword },
    });
    const cluster = new SentinelCluster(servers, sentinels, options);
    try {
      await cluster.#join();
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
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
    const server = this.servers.find((one) => one.port === Number(port));
    if (!server) throw new Error(`No server has the port ${port}`);
    return server;
  }

  /** SENTINEL FAILOVER; returns when all Sentinels left name another primary. */
  async failOver(): Promise<void> {
    const before = await this.primary();
    const [sentinel] = this.sentinels.filter(({ isRunning }) => isRunning);
    if (!sentinel) throw new Error('No Sentinel is left');
    // Refused while no replica is known to be good, and for a while after another failover.
    await eventually(() => this.#ask(sentinel, 'FAILOVER', this.name));
    await this.hasLeft(before);
  }

  /** All Sentinels left name another primary. */
  async hasLeft(server: RedisServer): Promise<void> {
    for (const sentinel of this.sentinels) {
      if (!sentinel.isRunning) continue;
      await eventually(async () => {
        const address = await this.#ask(sentinel, 'GET-MASTER-ADDR-BY-NAME', this.name);
        if ((address as string[])[1] === String(server.port)) throw new Error('no failover yet');
      }, 60_000);
    }
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
  }

  async #join(): Promise<void> {
    const [primary, ...replicas] = this.servers;
    const port = String(primary?.port);
    for (const replica of replicas) await this.command(replica, 'REPLICAOF', HOST, port);
    for (const replica of replicas) {
      await eventually(async () => {
        const link = await this.infoOf(replica, 'master_link_status');
        if (link !== 'up') throw new Error('a replica is not in step yet');
      });
    }
    const { password } = this.options;
    const login = password === undefined ? [] : ['auth-pass', password];
    const settings = ['down-after-milliseconds', DOWN_AFTER_MS, 'failover-timeout', '3000'];
    const others = ['parallel-syncs', String(REPLICAS)];
    for (const sentinel of this.sentinels) {
      await this.#ask(sentinel, 'MONITOR', this.name, HOST, port, '2');
      await this.#ask(sentinel, 'SET', this.name, ...login, ...settings, ...others);
      await this.#ask(sentinel, 'DEBUG', ...PERIODS);
    }
    for (const sentinel of this.sentinels) {
      await eventually(async () => {
        const found = (await this.#ask(sentinel, 'MASTER', this.name)) as string[];
        const field = (name: string): number => Number(found[found.indexOf(name) + 1]);
        const known = [field('num-slaves'), field('num-other-sentinels')];
        if (known.join() !== [REPLICAS, SENTINELS - 1].join()) {
          throw new Error(`A Sentinel knows ${known.join(' replicas and ')} Sentinels`);
        }
      });
    }
  }

  #ask(sentinel: RedisServer, ...words: readonly string[]): Promise<unknown> {
    return withClient(sentinel, this.options.sentinelPassword, (client) =>
      client.call('SENTINEL', ...words),
    );
  }
}

/** One after another: the machine has few cores. */
async function startAll(count: number, options: RedisServerOptions): Promise<RedisServer[]> {
  const started: RedisServer[] = [];
  while (started.length < count) started.push(await RedisServer.start(options));
  return started;
}
