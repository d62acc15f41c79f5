import { seconds, type Fault } from '../fault.js';
import { redisCommand } from '../redis-client.js';
import { sentinelsOf } from './sentinels-of.js';

/** One after another, all of them now and then; the instances connect again meanwhile. */
export const sentinelsKilled: Fault = {
  kind: 'Sentinels killed one after another',
  part: 'redis',
  on: ['sentinel'],
  isQuick: false,
  isAlone: true,
  bounds: ['unpublished'],
  run: async (context) => {
    const { random, hold } = context;
    const cluster = sentinelsOf(context);
    const primary = await cluster.primary();
    const killed = random.shuffled(cluster.sentinels).slice(0, random.integer(1, 3));
    const startedMs = context.nowMs();
    try {
      for (const sentinel of killed) {
        await sentinel.kill();
        await hold(random.integer(0, 1_000));
        if (random.chance(0.7)) await redisCommand(primary, 'CLIENT', 'KILL', 'TYPE', 'normal');
        await hold(random.integer(0, 1_000));
      }
    } finally {
      for (const sentinel of killed) await cluster.restartSentinel(sentinel);
    }
    return `${killed.length}, back after ${seconds(context.nowMs() - startedMs)}`;
  },
};
