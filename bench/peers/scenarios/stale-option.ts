import { verdictOf } from '../cluster/verdict-of.js';
import type { Scenario } from './scenario.js';
import { also, notApplicable } from './verdict.js';

export const staleOption: Scenario = {
  title: 'Invalidated, with the option on that keeps expired answers for emergencies',
  note: 'Documented and off by default; with tags it also concerns what a tag has invalidated.',
  run: async (system, open) => {
    if (system.staleOption === undefined) return notApplicable('no such option');
    const cluster = await open();
    const reader = await cluster.instance({ servesStale: true });
    const writer = await cluster.instance({ servesStale: true });
    await cluster.warm('users-in-us', reader, writer);
    await cluster.write(writer, 'save', ['users-in-us'], [reader]);
    return also(await verdictOf(cluster, 'users-in-us', reader, writer), system.staleOption);
  },
};
