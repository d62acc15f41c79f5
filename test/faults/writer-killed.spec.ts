import { describe, expect, it } from '@jest/globals';
import { representatives } from '../support/long-tests.js';
import type { Hold } from '../support/tcp-link.js';
import { eventually } from '../support/eventually.js';
import type { FaultCluster } from './support/fault-cluster.js';
import { TEST_MS, useFaultCluster } from './support/fault-tests.js';
import {
  allHit,
  expectReads,
  HEALING_LIMIT_MS,
  LEASE_MS,
  whileWatched,
} from './support/healing.js';
import type { Member } from './support/member.js';
import { Register } from './support/register.js';
import { writeStep } from './support/steps.js';

interface Step {
  readonly when: string;
  readonly hold: (writer: Member) => Hold;
  /** How many marks lie in Redis at this step. */
  readonly marks: number;
  readonly isCommitted: boolean;
}

const steps: readonly Step[] = [
  { when: 'before begin', hold: writeStep.updated, marks: 0, isCommitted: false },
  { when: 'between begin and COMMIT', hold: writeStep.commit, marks: 1, isCommitted: false },
  { when: 'before COMMIT is answered', hold: writeStep.committed, marks: 1, isCommitted: true },
  { when: 'between COMMIT and end', hold: writeStep.end, marks: 1, isCommitted: true },
];

describe('a writer killed', () => {
  let cluster: FaultCluster;
  let writer: Member;

  useFaultCluster((started) => {
    cluster = started;
    [writer] = started.members;
  });

  it.each(representatives(steps, 1, 2))(
    '$when misleads nobody and leaves nothing behind',
    async ({ hold, marks, isCommitted }) => {
      const register = await Register.create(cluster);
      await whileWatched(cluster, register, async (watch) => {
        const held = hold(writer);
        const write = register.write(writer).catch(() => 'cut off');
        await held.reached();
        expect(await cluster.marks()).toHaveLength(marks);
        expect(await register.stored()).toBe(isCommitted ? 1 : 0);
        await expectReads(cluster, watch);

        await writer.kill();
        held.drop();
        await write;
      });
      expect(await register.stored()).toBe(isCommitted ? 1 : 0);
    },
    TEST_MS,
  );

  it(
    'with its COMMIT on the way misleads nobody when it arrives after the lease',
    async () => {
      const register = await Register.create(cluster);
      await whileWatched(cluster, register, async (watch) => {
        const held = writeStep.commit(writer);
        const write = register.write(writer).catch(() => 'cut off');
        await held.reached();
        await writer.kill();
        await write;
        // The lease runs out, and whoever asks is told that the transaction is under way.
        await eventually(async () => {
          expect(await cluster.marks()).toEqual([expect.objectContaining({ isRenewed: true })]);
        }, 4 * LEASE_MS);
        expect(await register.stored()).toBe(0);
        await expectReads(cluster, watch);

        held.letGo();
        await eventually(async () => expect(await register.stored()).toBe(1));
      });
    },
    TEST_MS,
  );

  it(
    'leaves nothing behind either where nobody reads any more',
    async () => {
      const register = await Register.create(cluster);
      await allHit(cluster, register);
      const held = writeStep.commit(writer);
      const write = register.write(writer).catch(() => 'cut off');
      await held.reached();
      expect(await cluster.marks()).toHaveLength(1);
      await writer.kill();
      held.drop();
      await write;
      await eventually(async () => expect(await cluster.marks()).toEqual([]), HEALING_LIMIT_MS);
    },
    TEST_MS,
  );

  it(
    'comes back and takes part again',
    async () => {
      const register = await Register.create(cluster);
      await whileWatched(cluster, register, async () => {
        const held = writeStep.commit(writer);
        const write = register.write(writer).catch(() => 'cut off');
        await held.reached();
        await writer.kill();
        held.drop();
        await write;
        await writer.mend();
        expect((await register.write(writer)).status).toBe(200);
      });
      expect(await register.stored()).toBe(2);
    },
    TEST_MS,
  );
});
