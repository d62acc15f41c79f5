import { seconds, type Fault } from './fault.js';
import { follow, redisCommand, withPromoted } from './redis-client.js';

/** A server that followed one that lacks the last writes, and is then a primary again. */
export const redisReplicatesBack: Fault = {
  kind: 'REPLICAOF a lagging replica and back',
  part: 'redis',
  // Sentinels would count the other server as one of theirs.
  on: ['standalone'],
  isQuick: false,
  isAlone: true,
  bounds: ['older-data', 'unpublished'],
  run: async ({ system, random, hold, nowMs }) => {
    const redis = await system.redis.primary();
    return withPromoted(redis, async (lagging) => {
      const ageMs = random.integer(100, 1_500);
      await hold(ageMs);
      const startedMs = nowMs();
      try {
        await follow(redis, lagging);
      } finally {
        await redisCommand(redis, 'REPLICAOF', 'NO', 'ONE');
      }
      return `${seconds(ageMs)} older, back after ${(nowMs() - startedMs).toFixed(0)} ms`;
    });
  },
};
