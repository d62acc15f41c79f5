/** The protocol gives no wrong answer, whatever the order of its steps (explorer/explore.ts). */
import { describe, expect, it } from '@jest/globals';
import type { Configuration } from './explorer/configuration.js';
import { configuration, CONFIGURATIONS } from './explorer/configurations.js';
import { explore } from './explorer/explore.js';

const LIMIT_MS = 240_000;
const FIRST_STATES = 1_000;

type Given = Partial<Omit<Configuration, 'name' | 'rules'>>;

/** What has to happen for the rule to matter. */
const EVICTED: Given = { faults: ['version evicted'], mostFaults: 1, keepsEntries: true };
const EXPIRING: Given = { leasesRunOut: true };

describe('the protocol', () => {
  it.each<{ name: string; readers: number; atLeast: number; given: Given }>([
    { name: 'two readers', readers: 2, atLeast: 2_000, given: {} },
    { name: 'a lease that runs out', readers: 1, atLeast: 500, given: EXPIRING },
    { name: 'a version dropped', readers: 1, atLeast: 500, given: EVICTED },
  ])(
    'gives no wrong answer in any order: $name',
    async ({ name, readers, atLeast, given }) => {
      const explored = await explore(configuration({ name, readers, ...given }));
      expect(explored).toMatchObject({ violation: undefined, isComplete: true });
      expect(explored.states).toBeGreaterThan(atLeast);
    },
    LIMIT_MS,
  );

  it.each(CONFIGURATIONS)(
    'gives no wrong answer in the first thousand moments: $name',
    async (given) => {
      const explored = await explore(given, { mostStates: FIRST_STATES });
      expect(explored.violation).toBeUndefined();
      expect(explored.isComplete || explored.states > FIRST_STATES).toBe(true);
    },
    LIMIT_MS,
  );
});
