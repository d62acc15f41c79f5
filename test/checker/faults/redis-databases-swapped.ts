import { seconds, type Fault } from './fault.js';
import { redisCommand } from './redis-client.js';

/** Into database 1, in one step. */
const COPY = `for _, key in ipairs(redis.call('KEYS', '*')) do redis.call('COPY', key, key, 'DB', 1, 'REPLACE') end`;

export const redisDatabasesSwapped: Fault = {
  kind: 'SWAPDB and back',
  part: 'redis',
  // A cluster has one database.
  on: ['standalone', 'sentinel'],
  isQuick: false,
  isAlone: true,
  bounds: ['older-data', 'unpublished'],
  run: async ({ system, random, hold }) => {
    const redis = await system.redis.primary();
    const ageMs = random.integer(0, 1_000);
    const swappedMs = random.integer(5, random.chance(0.5) ? 100 : 800);
    await redisCommand(redis, 'EVAL', COPY, '0');
    await hold(ageMs);
    await redisCommand(redis, 'SWAPDB', '0', '1');
    await hold(swappedMs);
    await redisCommand(redis, 'SWAPDB', '0', '1');
    return `data ${seconds(ageMs)} older, for ${swappedMs} ms`;
  },
};
