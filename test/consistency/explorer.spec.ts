/**
 * The protocol gives no wrong answer and leaves nobody waiting, whatever the order of its steps
 * (explorer/explore.ts).
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { isLong } from '../support/long-tests.js';
import { CONFIGURATIONS } from './explorer/configurations.js';
import { ExplorerThread } from './explorer/explorer-thread.js';

/** Those that have more moments take a third of the time of all, and are left to `npm run test:long`. */
const MOST_STATES = isLong ? Infinity : 20_000;
/** Far more than it takes; how long it takes decides nothing. */
const PATIENCE_MS = 300_000;

describe('every order of steps is right:', () => {
  let thread: ExplorerThread;

  beforeAll(() => {
    thread = new ExplorerThread();
  });

  afterAll(() => thread.close());

  it.each(CONFIGURATIONS.filter(({ leastStates }) => leastStates < MOST_STATES))(
    '$name',
    async ({ name, leastStates }) => {
      const { violation, isComplete, states } = await thread.explore(name);
      expect(violation).toBeUndefined();
      expect(isComplete).toBe(true);
      expect(states).toBeGreaterThanOrEqual(leastStates);
    },
    PATIENCE_MS,
  );
});
