import type { Fault } from './fault.js';
import { asStranger, requireShown, warmRow, writeAnything, writeRow } from './outside-row.js';
import { tell } from './redis-client.js';

const SHOWN_LIMIT_MS = 5_000;

/** The second one meets instances that are about to make anew what the first one took. */
export const redisEmptiedTwice: Fault = {
  kind: 'Redis emptied twice',
  part: 'redis',
  isQuick: false,
  isAlone: true,
  bounds: ['unannounced'],
  run: (context) =>
    asStranger(context, async (client) => {
      const { system, random, hold } = context;
      const gapMs = random.integer(0, random.chance(0.5) ? 10 : 60);
      await writeRow(client);
      await tell(system.redis, 'FLUSHALL');
      await hold(gapMs);
      await tell(system.redis, 'FLUSHALL');
      await warmRow(context);
      const shown = await requireShown(context, await writeAnything(client), SHOWN_LIMIT_MS);
      return `${gapMs} ms apart; a write to anything ${shown}`;
    }),
};
