import { judge } from '../stage/judge.js';
import type { Scenario } from './scenario.js';

export const overtakenLoad: Scenario = {
  title: 'A write and its invalidation overtake a load',
  note: 'A load has read the old row and has not stored it yet; a write commits and invalidates; then the load stores. By hand there is no remedy: a short TTL bounds it.',
  run: async (_, open) => {
    const stage = await open();
    const reader = await stage.instance();
    const writer = await stage.instance();
    const held = stage.tap.holdSelect('users');
    const load = reader.cache.read('users-in-us');
    await held.reached;
    await stage.write(writer, 'save', ['users-in-us'], [reader]);
    held.letGo();
    await load;
    return judge(stage, 'users-in-us', reader, writer);
  },
};
