/** A Redis Cluster; nodes may join and leave. */
import { bucketOf, tagOfBucket } from '../../../packages/tidemark/src/redis/cluster/slots.js';
import { eventually } from '../../support/eventually.js';
import { RedisClusterServers } from '../../support/redis-cluster-servers.js';
import type { RedisServer } from '../../support/redis-server.js';
import { REDIS_CONFIG, type CheckedRedis } from './checked-redis.js';
import { RedisRoute } from './redis-route.js';

const TABLE = 'public.users';

export class ClusterRedis implements CheckedRedis {
  readonly kind = 'cluster';
  readonly #routes: RedisRoute[] = [];
  /** All instances begin with these nodes. */
  readonly #seeds: readonly RedisServer[];

  private constructor(readonly cluster: RedisClusterServers) {
    this.#seeds = cluster.servers.slice();
  }

  static async start(): Promise<ClusterRedis> {
    return new ClusterRedis(await RedisClusterServers.start({ config: REDIS_CONFIG }));
  }

  /** Of all keys of the checked table. */
  usersSlot(): Promise<number> {
    return this.cluster.slotOf(`{${tagOfBucket(bucketOf(TABLE))}}`);
  }

  async primary(): Promise<RedisServer> {
    return this.cluster.primaryOf(await this.usersSlot());
  }

  async openRoute(): Promise<RedisRoute> {
    const route = new RedisRoute();
    for (const server of this.cluster.servers) await route.add(server);
    this.#routes.push(route);
    return route;
  }

  envOf(route: RedisRoute): Readonly<Record<string, string>> {
    return { REDIS_CLUSTER: route.addressesOf(this.#seeds) };
  }

  /** A primary without slots, which every instance can reach. */
  async addNode(): Promise<RedisServer> {
    const server = await this.cluster.addNode();
    for (const route of this.#routes) await route.add(server);
    return server;
  }

  async removeNode(server: RedisServer): Promise<void> {
    await this.cluster.removeNode(server);
    for (const route of this.#routes) await route.remove(server);
  }

  async isSettled(): Promise<void> {
    await this.cluster.isWhole();
    await this.cluster.areReplicated();
    // For good, the instances would bypass the cache for the tables of an open slot. A node that was a primary closes its
    // slots when it hears of its successor.
    await eventually(() => this.cluster.areSlotsClosed());
  }

  async stop(): Promise<void> {
    await this.cluster.stop();
  }
}
