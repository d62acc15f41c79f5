/** Redis loses what says which answers are valid. */
import { verdictOf } from '../cluster/verdict-of.js';
import type { Cluster, ClusterInstance } from '../cluster/cluster.js';
import type { PeerSystem } from '../systems/peer-cache.js';
import type { Scenario } from './scenario.js';
import { notApplicable, type Verdict } from './verdict.js';

async function writtenThen(
  open: () => Promise<Cluster>,
  system: PeerSystem,
  before: (cluster: Cluster) => Promise<void>,
  after: (cluster: Cluster) => Promise<void>,
): Promise<Verdict> {
  if (system.keptIn !== 'redis') return notApplicable('not in Redis');
  const cluster = await open();
  const [reader, writer] = [await cluster.instance(), await cluster.instance()];
  await cluster.warm('users-in-us', reader, writer);
  await before(cluster);
  await cluster.write(writer, 'save', ['users-in-us'], [reader]);
  await after(cluster);
  const newcomer: ClusterInstance = await cluster.instance();
  return verdictOf(cluster, 'users-in-us', reader, newcomer, writer);
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
          (cluster) => cluster.loseValidityKeys(),
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
      (cluster) => cluster.redis.restart({ empty: true }),
    ),
};

export const restoredSnapshot: Scenario = {
  title: 'Redis comes back from a snapshot older than the write',
  note: 'Killed, and started with the snapshot it had saved before. By hand: empty it before the first read.',
  run: (system, open) =>
    writtenThen(
      open,
      system,
      (cluster) => cluster.redis.save(),
      (cluster) => cluster.redis.restart(),
    ),
};
