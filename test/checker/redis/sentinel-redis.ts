/** A primary, its replicas and Sentinels, which reach each other by proxies too: faults can cut these alone. */
import type { RedisServer } from '../../support/redis-server.js';
import { SentinelCluster } from '../../support/sentinel-cluster.js';
import { REDIS_CONFIG, type CheckedRedis } from './checked-redis.js';
import { RedisRoute } from './redis-route.js';

export class SentinelRedis implements CheckedRedis {
  readonly kind = 'sentinel';

  private constructor(readonly cluster: SentinelCluster) {}

  static async start(): Promise<SentinelRedis> {
    return new SentinelRedis(await SentinelCluster.start({ config: REDIS_CONFIG, hasLinks: true }));
  }

  primary(): Promise<RedisServer> {
    return this.cluster.primary();
  }

  async openRoute(): Promise<RedisRoute> {
    const route = new RedisRoute();
    for (const server of this.cluster.servers) await route.add(server, this.cluster.portOf(server));
    for (const sentinel of this.cluster.sentinels) await route.add(sentinel);
    return route;
  }

  envOf(route: RedisRoute): Readonly<Record<string, string>> {
    return {
      REDIS_SENTINELS: route.addressesOf(this.cluster.sentinels),
      REDIS_SENTINEL_NAME: this.cluster.name,
    };
  }

  isSettled(): Promise<void> {
    return this.cluster.isSettled();
  }

  stop(): Promise<void> {
    return this.cluster.stop();
  }
}
