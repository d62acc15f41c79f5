/**
 * Variants of the protocol that leave one rule out. Each is caught by a shortest run. The runs are printed, since each
 * shows the purpose of its rule.
 */
import { describe, expect, it } from 'vitest';
import { configuration } from './configurations.js';
import { explore } from './explore.js';
import { EVICTING, EXPIRING, LOSING, ONE_READER, VARIANTS } from './variants/variants.js';

/** Far longer than needed: the time decides nothing. */
const PATIENCE_MS = 300_000;

describe('a variant of the protocol is caught', () => {
  it.each(VARIANTS)(
    '$name',
    async (variant) => {
      const { violation, states } = await explore(variant, { breadthFirst: true });
      expect(violation?.at(-1)).toMatch(/^R1 \(US, hit\) answers \[1=0\]; right would be \[1=1\]/);
      process.stdout.write(`${variant.name} (${states} states):\n  ${violation?.join('\n  ')}\n`);
    },
    PATIENCE_MS,
  );

  // Where Redis restarts or has two buckets, configurations.ts, two-buckets.ts and limits.ts have the same with all rules
  // in place.
  it.each([ONE_READER, EXPIRING, EVICTING, LOSING])(
    'for the rule it leaves out alone',
    async (given) => {
      const { violation, isComplete } = await explore(configuration(given));
      expect({ violation, isComplete }).toEqual({ violation: undefined, isComplete: true });
    },
    PATIENCE_MS,
  );
});
