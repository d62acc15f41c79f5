import { seconds, type Fault } from './fault.js';

/** Copies all keys to database 1, as they are. */
const COPY_ALL = `redis.call('SELECT', 1) redis.call('FLUSHDB') redis.call('SELECT', 0)
for _, key in ipairs(redis.call('KEYS', '*')) do redis.call('COPY', key, key, 'DB', 1) end`;

/** Since then each instance has had heartbeats: what is noticed at once, and not with the next one. */
const LEAST_AGE_MS = 1_000;

export const redisFaults: readonly Fault[] = [
  {
    kind: 'Redis restarted empty',
    part: 'redis',
    bounds: ['unannounced'],
    isQuick: true,
    run: async ({ system, random, hold }) => {
      const ms = random.integer(0, 1_000);
      await system.redis.kill();
      await hold(ms);
      await system.redis.restart({ empty: true });
      return `back after ${seconds(ms)}`;
    },
  },
  {
    kind: 'Redis restarted from an older snapshot',
    part: 'redis',
    bounds: ['unannounced'],
    isQuick: true,
    run: async ({ system, random, hold }) => {
      const age = random.integer(100, 2_000);
      const ms = random.integer(0, 500);
      await system.redis.save();
      await hold(age);
      await system.redis.kill();
      await hold(ms);
      await system.redis.restart();
      return `${seconds(age)} older, back after ${seconds(ms)}`;
    },
  },
  {
    kind: 'Redis goes back to older data without a restart',
    part: 'redis',
    isQuick: true,
    run: async ({ system, random, hold }) => {
      const ageMs = random.integer(LEAST_AGE_MS, 2 * LEAST_AGE_MS);
      await system.redis.command('EVAL', COPY_ALL, '0');
      await hold(ageMs);
      await system.redis.command('SWAPDB', '0', '1');
      return `${seconds(ageMs)} older`;
    },
  },
  {
    kind: 'Redis paused',
    part: 'redis',
    bounds: ['unannounced'],
    isQuick: true,
    run: async ({ system, random, hold }) => {
      const ms = random.integer(200, random.chance(0.5) ? 800 : 3_000);
      system.redis.pause();
      try {
        await hold(ms);
      } finally {
        system.redis.resume();
      }
      return `for ${seconds(ms)}`;
    },
  },
];
