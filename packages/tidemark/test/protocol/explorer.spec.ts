/**
 * The protocol gives no wrong answer and leaves no process waiting, whatever the order of its steps
 * (explorer/explore.ts).
 */
import { describe, expect, it } from 'vitest';
import { isLong } from '../../../../test/support/long-tests.js';
import { CONFIGURATIONS } from './explorer/configurations.js';
import { explore } from './explorer/explore.js';
import { LONG_OVER_TWO_BUCKETS, TWO_BUCKETS } from './explorer/two-buckets.js';

/** Far more than it takes; how long it takes decides nothing. */
const PATIENCE_MS = 300_000;

describe('every order of steps is right:', () => {
  it.each([...CONFIGURATIONS, ...TWO_BUCKETS, ...(isLong ? LONG_OVER_TWO_BUCKETS : [])])(
    '$name',
    async (configuration) => {
      const { violation, isComplete, states } = await explore(configuration);
      expect(violation).toBeUndefined();
      expect(isComplete).toBe(true);
      expect(states).toBeGreaterThanOrEqual(configuration.leastStates);
    },
    PATIENCE_MS,
  );
});
