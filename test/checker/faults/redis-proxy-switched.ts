import type { Fault } from './fault.js';
import { withPromoted } from './redis-client.js';

/** To a promoted replica and back; writes meanwhile are on the replica alone. */
export const redisProxySwitched: Fault = {
  kind: 'proxy switched to another server and back',
  part: 'redis',
  isQuick: false,
  isAlone: true,
  bounds: ['older-data', 'unpublished'],
  run: ({ system: { redis, members }, random, hold }) =>
    withPromoted(redis, async (promoted) => {
      const switchedMs = random.integer(10, random.chance(0.5) ? 100 : 700);
      await Promise.all(members.map(({ routes }) => routes.redis.switchTo(promoted.port)));
      await hold(switchedMs);
      await Promise.all(members.map(({ routes }) => routes.redis.switchTo(redis.port)));
      return `for ${switchedMs} ms`;
    }),
};
