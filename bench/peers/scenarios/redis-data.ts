/** Redis loses what says which answers are valid. */
import { judge } from '../stage/judge.js';
import type { Stage, StagedInstance } from '../stage/stage.js';
import type { PeerSystem } from '../systems/peer-cache.js';
import type { Scenario } from './scenario.js';
import { notApplicable, type Verdict } from './verdict.js';

async function writtenThen(
  open: () => Promise<Stage>,
  system: PeerSystem,
  before: (stage: Stage) => Promise<void>,
  after: (stage: Stage) => Promise<void>,
): Promise<Verdict> {
  if (system.keptIn !== 'redis') return notApplicable('not in Redis');
  const stage = await open();
  const [reader, writer] = [await stage.instance(), await stage.instance()];
  await stage.warm('users-in-us', reader, writer);
  await before(stage);
  await stage.write(writer, 'save', ['users-in-us'], [reader]);
  await after(stage);
  const newcomer: StagedInstance = await stage.instance();
  return judge(stage, 'users-in-us', reader, newcomer, writer);
}

export const validityKeyLost: Scenario = {
  title: 'The version or tag keys are evicted after the write',
  note: 'Read by the two instances and by one that has just started. By hand: a Redis that never evicts.',
  run: async (system, open) =>
    system.validityKeys.length === 0
      ? notApplicable('keeps no such keys')
      : writtenThen(
          open,
          system,
          async () => undefined,
          (stage) => stage.loseValidityKeys(),
        ),
};

export const restartedEmpty: Scenario = {
  title: 'Redis restarts empty after the write',
  note: 'Killed, and started without its data. By hand: restart the service with it.',
  run: (system, open) =>
    writtenThen(
      open,
      system,
      async () => undefined,
      (stage) => stage.redis.restart({ empty: true }),
    ),
};

export const restoredSnapshot: Scenario = {
  title: 'Redis comes back from a snapshot older than the write',
  note: 'Killed, and started with the snapshot it had saved before. By hand: empty it before anyone reads.',
  run: (system, open) =>
    writtenThen(
      open,
      system,
      (stage) => stage.redis.save(),
      (stage) => stage.redis.restart(),
    ),
};
