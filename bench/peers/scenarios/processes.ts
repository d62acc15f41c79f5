/** Writers in separate processes. */
import { verdictOf } from '../cluster/verdict-of.js';
import type { Scenario } from './scenario.js';

const CLOCK_BEHIND_MS = 60_000;

export const killedAfterCommit: Scenario = {
  title: 'The writer is killed between COMMIT and invalidation',
  note: 'SIGKILL at the moment the database has answered COMMIT. By hand: an outbox in the same transaction.',
  run: async (_, open) => {
    const cluster = await open();
    const reader = await cluster.instance();
    await cluster.warm('users-in-us', reader);
    const writer = await cluster.writerProcess({ diesAtCommit: true, clockBehindMs: 0 });
    await writer.dieWriting('save', ['users-in-us']);
    return verdictOf(cluster, 'users-in-us', reader);
  },
};

export const slowClock: Scenario = {
  title: "The writer's clock is a minute behind the reader's",
  note: 'The answer was stored by the reader, the write and its invalidation come from the other machine. By hand: synchronised clocks.',
  run: async (_, open) => {
    const cluster = await open();
    const reader = await cluster.instance();
    const writer = await cluster.writerProcess({
      diesAtCommit: false,
      clockBehindMs: CLOCK_BEHIND_MS,
    });
    await cluster.warm('users-in-us', reader);
    const received = reader.cache.invalidationReceived?.(['users-in-us']);
    await writer.write('save', ['users-in-us']);
    await received;
    return verdictOf(cluster, 'users-in-us', reader);
  },
};
