import type { Fault } from './fault.js';
import { asOtherClient, requireShown, warmRow, writeAnything, writeRow } from './outside-row.js';
import { SERVICE_KEYS, withRedis } from './redis-client.js';

const SHOWN_LIMIT_MS = 5_000;
/** Keys looked at in one step. */
const STEP = 20;

/** A cache cleared by hand: keys are deleted one after another, while instances make new ones. */
export const redisPurged: Fault = {
  kind: 'Redis purged by SCAN and DEL',
  part: 'redis',
  isQuick: false,
  isAlone: true,
  bounds: ['mark-deleted', 'unpublished'],
  run: (context) =>
    asOtherClient(context, async (client) => {
      await writeRow(client);
      const deleted = await withRedis(await context.system.redis.primary(), async (redis) => {
        let count = 0;
        let cursor = '0';
        do {
          const [next, keys] = await redis.scan(cursor, 'MATCH', SERVICE_KEYS, 'COUNT', STEP);
          for (const key of keys) count += await redis.del(key);
          cursor = next;
        } while (cursor !== '0');
        return count;
      });
      await warmRow(context);
      const shown = await requireShown(context, await writeAnything(client), SHOWN_LIMIT_MS);
      return `${deleted} keys; a write to anything ${shown}`;
    }),
};
