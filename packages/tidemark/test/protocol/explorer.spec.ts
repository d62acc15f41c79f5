/**
 * The protocol gives no wrong answer and leaves no process waiting, whatever the order of its steps
 * (explorer/explore.ts).
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CONFIGURATIONS } from './explorer/configurations.js';
import { ExplorerThread } from './explorer/explorer-thread.js';

/** Far more than it takes; how long it takes decides nothing. */
const PATIENCE_MS = 300_000;

describe('every order of steps is right:', () => {
  let thread: ExplorerThread;

  beforeAll(() => {
    thread = new ExplorerThread();
  });

  afterAll(() => thread.close());

  it.each(CONFIGURATIONS)(
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
