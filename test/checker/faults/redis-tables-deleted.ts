import type { Fault } from './fault.js';
import { asOtherClient, requireShown, warmRow, writeAnything, writeRow } from './outside-row.js';
import { withRedis } from './redis-client.js';

const SHOWN_LIMIT_MS = 5_000;

/** The set by which a write to anything finds the tables, and the version of the schema. */
export const redisTablesDeleted: Fault = {
  kind: 'set of tables and version of the schema deleted',
  part: 'redis',
  isQuick: false,
  isAlone: true,
  bounds: ['unpublished'],
  run: (context) =>
    asOtherClient(context, async (client) => {
      await writeRow(client);
      await warmRow(context);
      const deleted = await withRedis(await context.system.redis.primary(), async (redis) => {
        const sets = await redis.keys('tidemark:*:t');
        const versions = await redis.keys('tidemark:*#schema*:v:*');
        let count = 0;
        for (const key of [...sets, ...versions]) count += await redis.del(key);
        return count;
      });
      await warmRow(context);
      const shown = await requireShown(context, await writeAnything(client), SHOWN_LIMIT_MS);
      return `${deleted} keys; a write to anything ${shown}`;
    }),
};
