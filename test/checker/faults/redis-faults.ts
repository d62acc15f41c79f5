import { seconds, type Fault } from './fault.js';

export const redisFaults: readonly Fault[] = [
  {
    kind: 'Redis restarted empty',
    part: 'redis',
    bounds: ['unpublished'],
    isQuick: true,
    run: async ({ system, random, hold }) => {
      const ms = random.integer(0, 1_000);
      const redis = await system.redis.primary();
      await redis.kill();
      await hold(ms);
      await redis.restart({ empty: true });
      return `back after ${seconds(ms)}`;
    },
  },
  {
    kind: 'Redis restarted from an older snapshot',
    part: 'redis',
    bounds: ['unpublished'],
    isQuick: true,
    run: async ({ system, random, hold }) => {
      const age = random.integer(100, 2_000);
      const ms = random.integer(0, 500);
      const redis = await system.redis.primary();
      await redis.save();
      await hold(age);
      await redis.kill();
      await hold(ms);
      await redis.restart();
      return `${seconds(age)} older, back after ${seconds(ms)}`;
    },
  },
  {
    kind: 'Redis paused',
    part: 'redis',
    bounds: ['unpublished'],
    isQuick: true,
    run: async ({ system, random, hold }) => {
      const ms = random.integer(200, random.chance(0.5) ? 800 : 3_000);
      const redis = await system.redis.primary();
      redis.pause();
      try {
        await hold(ms);
      } finally {
        redis.resume();
      }
      return `for ${seconds(ms)}`;
    },
  },
];
