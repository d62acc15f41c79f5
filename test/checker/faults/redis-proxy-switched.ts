import type { Fault } from './fault.js';
import { withPromoted } from './redis-client.js';

/** To a promoted replica and back; writes meanwhile are on the replica alone. */
export const redisProxySwitched: Fault = {
  kind: 'proxy switched to another server and back',
  part: 'redis',
  // Sentinels would count the other server as one of theirs.
  on: ['standalone'],
  isQuick: false,
  isAlone: true,
  bounds: ['older-data', 'unpublished'],
  run: async ({ system, random, hold }) => {
    const { members } = system;
    const redis = await system.redis.primary();
    return withPromoted(redis, async (promoted) => {
      const switchedMs = random.integer(10, random.chance(0.5) ? 100 : 700);
      await Promise.all(
        members.map(({ routes }) => routes.redis.to(redis).switchTo(promoted.port)),
      );
      await hold(switchedMs);
      await Promise.all(members.map(({ routes }) => routes.redis.to(redis).switchTo(redis.port)));
      return `for ${switchedMs} ms`;
    });
  },
};
