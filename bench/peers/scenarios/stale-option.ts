import { judge } from '../stage/judge.js';
import type { Scenario } from './scenario.js';
import { also, notApplicable } from './verdict.js';

export const staleOption: Scenario = {
  title: 'Invalidated, with the option on that keeps expired answers for emergencies',
  note: 'Documented and off by default; with tags it also concerns what a tag has invalidated.',
  run: async (system, open) => {
    if (system.staleOption === undefined) return notApplicable('no such option');
    const stage = await open();
    const reader = await stage.instance({ servesStale: true });
    const writer = await stage.instance({ servesStale: true });
    await stage.warm('users-in-us', reader, writer);
    await stage.write(writer, 'save', ['users-in-us'], [reader]);
    return also(await judge(stage, 'users-in-us', reader, writer), system.staleOption);
  },
};
