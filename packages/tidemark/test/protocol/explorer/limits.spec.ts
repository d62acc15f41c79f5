/** The limits of the protocol alone, shown by runs with a wrong answer, and the parts that cover them. */
import { describe, expect, it } from 'vitest';
import { representatives } from '../../../../../test/support/long-tests.js';
import { explore } from './explore.js';
import { NOTICED, PARTITION, PARTITION_OF_ONE_BUCKET, THERE_AND_BACK } from './limits.js';

/** Far longer than needed: the time decides nothing. */
const PATIENCE_MS = 300_000;
const WRONG = /^R1 \(US, hit\) answers \[1=0\]; right would be \[1=1\]/;

describe('a limit of the protocol', () => {
  it.each([PARTITION, PARTITION_OF_ONE_BUCKET])(
    '$name is not seen by readers that reach Redis',
    async (partition) => {
      const { violation } = await explore(partition, { breadthFirst: true });
      expect(violation?.at(-1)).toMatch(WRONG);
      expect(violation).toContainEqual(expect.stringMatching(/^an outage of the writer begins/));
    },
  );

  // A primary that is left and returned to, and never restarted, keeps its `run_id`. The epoch of a table that was not
  // read meanwhile still names that server, over old versions. Connected instances notice by their broken connections;
  // instances that start later have to ask them (redis/peer-attestation.ts).
  it('a switch back to an earlier server is recognised only by instances that noticed the first switch', async () => {
    const { violation } = await explore(THERE_AND_BACK, { breadthFirst: true });
    expect(violation?.at(-1)).toMatch(WRONG);
    expect(violation?.filter((label) => label === 'Redis: the replica takes over')).toHaveLength(2);
  });
});

describe('a fault that all instances notice', () => {
  const MAX_CHOICES = 11;

  it.each(representatives(NOTICED, 2))(
    `makes no answer wrong in ${MAX_CHOICES} steps, more than the wrong ones take above: $name`,
    async (noticed) => {
      const { violation, isComplete, depth, states } = await explore(noticed, {
        breadthFirst: true,
        maxChoices: MAX_CHOICES,
      });
      expect(violation).toBeUndefined();
      expect({ isComplete, depth }).toEqual({ isComplete: true, depth: MAX_CHOICES });
      expect(states).toBeGreaterThan(1_000);
    },
    PATIENCE_MS,
  );
});
