import { seconds, type Fault } from './fault.js';
import { redisCommand } from './redis-client.js';

/** The same process, and so the same run_id, with the data of an older dump. */
export const redisDumpReloaded: Fault = {
  kind: 'DEBUG RELOAD of an older dump',
  part: 'redis',
  isQuick: false,
  isAlone: true,
  bounds: ['older-data', 'unpublished'],
  run: async ({ system, random, hold }) => {
    const redis = await system.redis.primary();
    const ageMs = random.integer(100, 2_000);
    await redis.save();
    await hold(ageMs);
    await redisCommand(redis, 'DEBUG', 'RELOAD', 'NOSAVE');
    return `${seconds(ageMs)} older`;
  },
};
