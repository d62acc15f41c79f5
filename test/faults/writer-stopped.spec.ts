import { describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../support/eventually.js';
import { representatives } from '../support/long-tests.js';
import type { Hold } from '../support/tcp-link.js';
import type { FaultCluster } from './support/fault-cluster.js';
import { TEST_MS, useFaultCluster } from './support/fault-tests.js';
import { allHit, expectReads, LEASE_MS, whileWatched } from './support/healing.js';
import type { Member } from './support/member.js';
import { Register } from './support/register.js';
import { writeStep } from './support/steps.js';

/** The transaction of a single write may be idle for as long as four commands of Redis, and five seconds at least. */
const SHORT_OF_REDIS = { envOfThird: { REDIS_TIMEOUT_MS: '500' } };

describe('a writer stopped for longer than its lease', () => {
  let cluster: FaultCluster;
  let writer: Member;
  let other: Member;
  let impatient: Member;

  useFaultCluster((started) => {
    cluster = started;
    [writer, other, impatient] = started.members;
  }, SHORT_OF_REDIS);

  /** Sends a write and stops the writer at the step. */
  async function stopAt(step: (writer: Member) => Hold, register: Register, stopped = writer) {
    const held = step(stopped);
    const write = register.write(stopped);
    write.catch(() => undefined);
    await held.reached();
    stopped.pause();
    return { held, write };
  }

  it(
    'before begin keeps nobody from hits, and goes on',
    async () => {
      const register = await Register.create(cluster);
      await whileWatched(cluster, register, async (watch) => {
        const { held, write } = await stopAt(writeStep.updated, register);
        held.letGo();
        await delay(1.5 * LEASE_MS);
        expect(await cluster.marks()).toEqual([]);
        await allHit(cluster, register);
        await expectReads(cluster, watch);

        writer.resume();
        expect((await write).status).toBe(200);
      });
      expect(await register.stored()).toBe(1);
    },
    TEST_MS,
  );

  const beforeCommit = [
    { when: 'while begin is on its way', step: writeStep.begin, isMarkedBefore: false },
    { when: 'between begin and COMMIT', step: writeStep.commit, isMarkedBefore: true },
  ];

  it.each(representatives(beforeCommit, 1))(
    '$when keeps its mark, and goes on',
    async ({ step, isMarkedBefore }) => {
      const register = await Register.create(cluster);
      await whileWatched(cluster, register, async (watch) => {
        const { held, write } = await stopAt(step, register);
        expect(await cluster.marks()).toHaveLength(isMarkedBefore ? 1 : 0);
        if (!isMarkedBefore) held.letGo();
        // Whoever meets the mark after its lease is told that the transaction is under way.
        await eventually(async () => {
          expect(await cluster.marks()).toEqual([expect.objectContaining({ isRenewed: true })]);
        });
        expect(await register.stored()).toBe(0);
        expect((await other.get(register.path)).cache).toBe('bypass');
        await expectReads(cluster, watch);

        writer.resume();
        held.letGo();
        expect((await write).status).toBe(200);
      });
      expect(await register.stored()).toBe(1);
    },
    TEST_MS,
  );

  const afterCommit = [
    { when: 'before COMMIT is answered', step: writeStep.committed },
    { when: 'between COMMIT and end', step: writeStep.end },
  ];

  it.each(representatives(afterCommit, 1))(
    '$when is done without, and does no harm when it goes on',
    async ({ step }) => {
      const register = await Register.create(cluster);
      await whileWatched(cluster, register, async (watch) => {
        const { held, write } = await stopAt(step, register);
        expect(await register.stored()).toBe(1);
        expect(await cluster.marks()).toHaveLength(1);
        expect((await other.get(register.path)).cache).toBe('bypass');
        // The mark is settled, and the others are back to hits, while the writer still stands.
        await eventually(async () => expect(await cluster.marks()).toEqual([]));
        await allHit(cluster, register);
        expect((await register.write(other)).status).toBe(200);
        await allHit(cluster, register);
        await expectReads(cluster, watch);

        writer.resume();
        held.letGo();
        expect((await write).status).toBe(200);
      });
      expect(await register.stored()).toBe(2);
    },
    TEST_MS,
  );

  it(
    'between begin and COMMIT leaves its row to others after some seconds, and rejects its write',
    async () => {
      const register = await Register.create(cluster);
      await whileWatched(cluster, register, async () => {
        const { held, write } = await stopAt(writeStep.commit, register, impatient);
        expect((await register.write(other)).status).toBe(200);
        impatient.resume();
        held.letGo();
        expect((await write).status).toBe(503);
      });
      expect(await register.stored()).toBe(2);
      expect((await register.write(impatient)).status).toBe(200);
    },
    TEST_MS,
  );
});
