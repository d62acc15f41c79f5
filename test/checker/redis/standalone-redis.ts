import { RedisServer } from '../../support/redis-server.js';
import { REDIS_CONFIG, type CheckedRedis } from './checked-redis.js';
import { RedisRoute } from './redis-route.js';

export class StandaloneRedis implements CheckedRedis {
  readonly kind = 'standalone';

  private constructor(private readonly server: RedisServer) {}

  static async start(): Promise<StandaloneRedis> {
    return new StandaloneRedis(await RedisServer.start({ config: REDIS_CONFIG }));
  }

  async primary(): Promise<RedisServer> {
    return this.server;
  }

  async openRoute(): Promise<RedisRoute> {
    const route = new RedisRoute();
    await route.add(this.server);
    return route;
  }

  envOf(route: RedisRoute): Readonly<Record<string, string>> {
    return { REDIS_URL: route.to(this.server).redisUrl };
  }

  async isSettled(): Promise<void> {
    await this.server.command('PING');
  }

  async stop(): Promise<void> {
    await this.server.stop();
  }
}
