import type { Redis } from 'ioredis';
import { setTimeout as delay } from 'node:timers/promises';
import type { Fault, FaultContext } from './fault.js';
import { asOtherClient, requireShown, warmRow, writeAnything, writeRow } from './outside-row.js';
import { withRedis } from './redis-client.js';

const SHOWN_LIMIT_MS = 5_000;
/** Limit of the wait for a step of an instance. */
const STEP_LIMIT_MS = 300;

/** The step at which an instance has put the table into the set of tables, and not yet given it an epoch. */
const EMPTY_BETWEEN = `
if redis.call('SISMEMBER', KEYS[1], 'public.users') == 0 or redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
redis.call('FLUSHALL')
return 1`;

/** The second one meets instances that are about to restore what the first one removed. */
export const redisEmptiedTwice: Fault = {
  kind: 'Redis emptied twice',
  part: 'redis',
  isQuick: false,
  isAlone: true,
  bounds: ['unpublished'],
  run: (context) =>
    asOtherClient(context, async (client) => {
      await writeRow(client);
      const second = await withRedis(await context.system.redis.primary(), (redis) =>
        emptyTwice(context, redis),
      );
      await warmRow(context);
      const shown = await requireShown(context, await writeAnything(client), SHOWN_LIMIT_MS);
      return `${second}; a write to anything ${shown}`;
    }),
};

async function emptyTwice({ random, nowMs }: FaultContext, redis: Redis): Promise<string> {
  const [epoch] = await redis.keys('tidemark:*public.users*:e');
  const isTimed = random.chance(0.5) || epoch === undefined;
  const gapMs = random.integer(0, 60);
  await redis.flushall();
  const startedMs = nowMs();
  if (!isTimed) {
    const tables = epoch.replace(/[^:]*:e$/, 't');
    while (nowMs() - startedMs < STEP_LIMIT_MS) {
      if ((await redis.eval(EMPTY_BETWEEN, 2, tables, epoch)) === 1) return 'between two steps';
    }
  } else await delay(gapMs);
  await redis.flushall();
  return `${(nowMs() - startedMs).toFixed(0)} ms apart`;
}
