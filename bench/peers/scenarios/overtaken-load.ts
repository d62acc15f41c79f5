import { verdictOf } from '../cluster/verdict-of.js';
import type { Scenario } from './scenario.js';

export const overtakenLoad: Scenario = {
  title: 'A write and its invalidation overtake a load',
  note: 'A load has read the old row and has not stored it yet; a write commits and invalidates; then the load stores. By hand there is no remedy: a short TTL bounds it.',
  run: async (_, open) => {
    const cluster = await open();
    const reader = await cluster.instance();
    const writer = await cluster.instance();
    const held = cluster.tap.holdSelect('users');
    const load = reader.cache.read('users-in-us');
    await held.reached;
    await cluster.write(writer, 'save', ['users-in-us'], [reader]);
    held.letGo();
    await load;
    return verdictOf(cluster, 'users-in-us', reader, writer);
  },
};
