import { seconds, type Fault } from './fault.js';
import { asOtherClient } from './outside-row.js';
import { redisCommand } from './redis-client.js';

/** An open transaction of another client that has written, while the epochs are lost. */
export const openTransaction: Fault = {
  kind: 'long transaction of another client across a change of epoch',
  part: 'redis',
  isQuick: false,
  isAlone: true,
  bounds: ['unpublished'],
  run: (context) =>
    asOtherClient(context, async (client) => {
      const { system, random, hold, figures, nowMs } = context;
      const openMs = random.integer(2_000, 6_000);
      const before = { reads: 0, ms: figures.startedMs };
      await client.query('BEGIN; SELECT pg_current_xact_id()');
      const start = { reads: figures.reads.total, ms: nowMs() };
      await redisCommand(await system.redis.primary(), 'FLUSHALL');
      await hold(openMs);
      const end = { reads: figures.reads.total, ms: nowMs() };
      await client.query(random.chance(0.5) ? 'COMMIT' : 'ROLLBACK');
      return `open for ${seconds(openMs)}, ${rate(start, end)} reads a second meanwhile, ${rate(before, start)} before`;
    }),
};

interface Sample {
  readonly reads: number;
  readonly ms: number;
}

function rate(from: Sample, until: Sample): string {
  return ((1000 * (until.reads - from.reads)) / Math.max(until.ms - from.ms, 1)).toFixed(0);
}
