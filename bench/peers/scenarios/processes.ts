/** Writers in processes of their own. */
import { judge } from '../stage/judge.js';
import type { Scenario } from './scenario.js';

const CLOCK_BEHIND_MS = 60_000;

export const killedAfterCommit: Scenario = {
  title: 'The writer is killed between COMMIT and invalidation',
  note: 'SIGKILL at the moment the database has answered COMMIT. By hand: an outbox in the same transaction.',
  run: async (_, open) => {
    const stage = await open();
    const reader = await stage.instance();
    await stage.warm('users-in-us', reader);
    const writer = await stage.writerProcess({ diesAtCommit: true, clockBehindMs: 0 });
    await writer.dieWriting('save', ['users-in-us']);
    return judge(stage, 'users-in-us', reader);
  },
};

export const slowClock: Scenario = {
  title: "The writer's clock is a minute behind the reader's",
  note: 'The answer was stored by the reader, the write and its invalidation come from the other machine. By hand: synchronised clocks.',
  run: async (_, open) => {
    const stage = await open();
    const reader = await stage.instance();
    const writer = await stage.writerProcess({
      diesAtCommit: false,
      clockBehindMs: CLOCK_BEHIND_MS,
    });
    await stage.warm('users-in-us', reader);
    const heard = reader.cache.hears?.(['users-in-us']);
    await writer.write('save', ['users-in-us']);
    await heard;
    return judge(stage, 'users-in-us', reader);
  },
};
