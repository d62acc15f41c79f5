import { setTimeout as delay } from 'node:timers/promises';
import type { Fault } from './fault.js';
import { withRedis } from './redis-client.js';

/** Alone, behind Sentinels, and in a cluster. */
const EPOCH = 'tidemark:*public.users*:e';
/** Pause between two searches for marks, in milliseconds. */
const POLL_MS = 1;
const PATIENCE_MS = 3_000;

/** Only where a write has begun and not ended; the epoch stays. */
const DELETE_MARKED = `
if redis.call('HLEN', KEYS[1]) == 0 then return 0 end
local versions = redis.call('KEYS', ARGV[1])
for _, key in ipairs(versions) do redis.call('DEL', key) end
redis.call('DEL', KEYS[1])
return #versions + 1`;

export const redisMarkDeleted: Fault = {
  kind: 'marks and their versions deleted',
  part: 'redis',
  isQuick: false,
  isAlone: true,
  bounds: ['mark-deleted', 'unpublished'],
  run: async ({ system, random, nowMs, hold, stopping }) =>
    withRedis(await system.redis.primary(), async (redis) => {
      const [epoch] = await redis.keys(EPOCH);
      if (epoch === undefined) return 'no epoch was there';
      const times = random.integer(1, 3);
      const table = epoch.slice(0, -1);
      const marks = `${table}m`;
      let found = 0;
      const endMs = nowMs() + PATIENCE_MS;
      while (found < times && nowMs() < endMs && !stopping.aborted) {
        const deleted = await redis.eval(DELETE_MARKED, 1, marks, `${table}v:*`);
        if (deleted === 0) await delay(POLL_MS);
        else {
          found += 1;
          await hold(random.integer(0, 30));
        }
      }
      return `${found} times`;
    }),
};
