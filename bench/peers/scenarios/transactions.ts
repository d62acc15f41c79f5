import { currentAnswer } from '../fixtures/queries.js';
import { CHANGES } from '../fixtures/changes.js';
import { verdictOf } from '../cluster/verdict-of.js';
import type { Scenario } from './scenario.js';
import { fresh, stale } from './verdict.js';

class RolledBack extends Error {}

export const rolledBackRead: Scenario = {
  title: 'A cached read in a transaction that has written and rolls back',
  note: 'Is a row that was never committed handed to others? By hand: never read through the cache in a transaction that has written.',
  run: async (_, open) => {
    const cluster = await open();
    const reader = await cluster.instance();
    const writer = await cluster.instance();
    await writer.cache.source
      .transaction(async (manager) => {
        await CHANGES['bulk-update'](manager);
        await writer.cache.readIn(manager, 'users-in-us');
        throw new RolledBack();
      })
      .catch((error: unknown) => {
        if (!(error instanceof RolledBack)) throw error;
      });
    return verdictOf(cluster, 'users-in-us', reader, writer);
  },
};

export const ownWrite: Scenario = {
  title: 'A cached read in a transaction, after its own write',
  note: 'Does code see what it has just written? By hand: read past the cache in transactions.',
  run: async (_, open) => {
    const cluster = await open();
    const writer = await cluster.instance();
    await cluster.warm('users-in-us', writer);
    return writer.cache.source.transaction(async (manager) => {
      await CHANGES['bulk-update'](manager);
      const own = await currentAnswer(manager, 'users-in-us');
      const answer = await writer.cache.readIn(manager, 'users-in-us');
      return answer === own ? fresh('read past the cache') : stale('in the transaction');
    });
  },
};
