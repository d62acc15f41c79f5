/** The parts of one instance over a Redis Cluster, for the specs of its stores. */
import type { ClusterTarget } from '../../src/redis/cluster/cluster-seeds.js';
import { CacheEvents } from '../../src/core/ports/cache-events.js';
import { ClusterStores } from '../../src/nestjs/cluster-stores.js';
import { resolveOptions } from '../../src/nestjs/query-cache.options.js';
import { BUCKETS, bucketOf, slotOf, tagOfBucket } from '../../src/redis/cluster/slots.js';
import { EntrySeal } from '../../src/redis/entry-seal.js';
import { eventually } from '../../../../test/support/eventually.js';
import type { RedisClusterServers } from '../../../../test/support/redis-cluster-servers.js';
import type { RedisServer } from '../../../../test/support/redis-server.js';
import { LogBook } from './redis-harness.js';

export interface InstanceOptions {
  readonly namespace?: string;
  readonly timeoutMs?: number;
  readonly target?: Partial<ClusterTarget>;
}

/** The stores of one instance, with what they report. */
export class ClusterInstance {
  readonly log = new LogBook();
  readonly stores: ClusterStores;
  /** By bucket. */
  readonly outages: number[] = Array.from({ length: BUCKETS }, () => 0);
  readonly recoveries: number[] = Array.from({ length: BUCKETS }, () => 0);

  constructor(servers: RedisClusterServers, options: InstanceOptions = {}) {
    const { namespace = 'tidemark', timeoutMs = 10_000, target } = options;
    this.stores = new ClusterStores({
      dataSource: 'default',
      redis: { seeds: servers.addresses, nodeOptions: {}, ...target, timeoutMs },
      options: resolveOptions({ namespace }),
      secrets: { database: 'db', seal: new EntrySeal(['the secret of all']) },
      events: new CacheEvents(),
      log: this.log,
    });
    this.stores.onOutage((bucket) => (this.outages[bucket] = (this.outages[bucket] ?? 0) + 1));
    this.stores.onRecovery(
      (bucket) => (this.recoveries[bucket] = (this.recoveries[bucket] ?? 0) + 1),
    );
  }

  /** An instance that can use all buckets. */
  static async up(
    servers: RedisClusterServers,
    options?: InstanceOptions,
  ): Promise<ClusterInstance> {
    const instance = new ClusterInstance(servers, options);
    await instance.isUp();
    return instance;
  }

  get versions() {
    return this.stores.versions;
  }

  /** All buckets can be read. */
  async isUp(): Promise<void> {
    await eventually(() => Promise.all(ofBuckets.map((table) => this.readOne(table))), 60_000);
  }

  async readOne(table: string, ...names: readonly string[]) {
    const [reading] = await this.versions.read([{ table, names }]);
    return reading;
  }

  /** A new epoch that counts. */
  async settle(table: string, token: string): Promise<void> {
    const before = await this.readOne(table);
    await this.versions.rotate(table, before?.epoch, token);
    const after = await this.readOne(table);
    await this.versions.settleEpoch(table, after?.epoch ?? '');
  }

  close(): Promise<void> {
    return this.stores.close();
  }
}

/** A table in each bucket. */
export const ofBuckets: readonly string[] = Array.from({ length: BUCKETS }, (_, bucket) => {
  for (let number = 0; ; number += 1) {
    const table = `public.table_${number}`;
    if (bucketOf(table) === bucket) return table;
  }
});

/** The slot of a table's bucket. */
export function slotOfTable(table: string): number {
  return slotOf(`{${tagOfBucket(bucketOf(table))}}`);
}

/** The buckets that lie on the server at this moment. */
export async function bucketsOn(
  cluster: RedisClusterServers,
  port: number,
): Promise<readonly number[]> {
  const found: number[] = [];
  for (const [bucket, table] of ofBuckets.entries()) {
    if ((await cluster.primaryOf(slotOfTable(table))).port === port) found.push(bucket);
  }
  return found;
}

/** How many error replies with the code the server has given. */
export async function errorsOf(
  cluster: RedisClusterServers,
  server: RedisServer,
  code: string,
): Promise<number> {
  const text = String(await cluster.command(server, 'INFO', 'errorstats'));
  return Number(new RegExp(`errorstat_${code}:count=(\\d+)`).exec(text)?.[1] ?? 0);
}

/** The server has been asked about the cluster so many times from now on. */
export async function isAsked(
  cluster: RedisClusterServers,
  server: RedisServer,
  times: number,
): Promise<void> {
  const before = await timesAsked(cluster, server);
  await eventually(async () => {
    const asked = await timesAsked(cluster, server);
    if (asked < before + times) throw new Error('The server is not asked again');
  });
}

/** How often the server has been asked about the cluster. */
export async function timesAsked(
  cluster: RedisClusterServers,
  server: RedisServer,
): Promise<number> {
  const text = String(await cluster.command(server, 'INFO', 'commandstats'));
  return Number(/cmdstat_cluster\|slots:calls=(\d+)/.exec(text)?.[1] ?? 0);
}

/** How many connections the instances of the namespace have to the server. */
export async function connectionsTo(
  cluster: RedisClusterServers,
  server: RedisServer,
  namespace: string,
): Promise<number> {
  const clients = String(await cluster.command(server, 'CLIENT', 'LIST'));
  return clients.split(`name=tidemark:${namespace} `).length - 1;
}
