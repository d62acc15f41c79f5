import { describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import type { FaultCluster } from './support/fault-cluster.js';
import { TEST_MS, useFaultCluster } from './support/fault-tests.js';
import { LEASE_MS, whileWatched } from './support/healing.js';
import type { Member } from './support/member.js';
import { Register } from './support/register.js';
import { writeStep } from './support/steps.js';

describe('PostgreSQL standing still for longer than a lease', () => {
  let cluster: FaultCluster;
  let writer: Member;
  let impatient: Member;

  useFaultCluster(
    (started) => {
      cluster = started;
      [writer, , impatient] = started.members;
    },
    { envOfThird: { DATABASE_TIMEOUT_MS: '2000' } },
  );

  it(
    'keeps nobody from hits',
    async () => {
      const register = await Register.create(cluster);
      await whileWatched(cluster, register, async () => {
        cluster.postgres.pause();
        for (const member of cluster.members) {
          for (const { path } of register.views) {
            expect((await member.get(path)).cache).toBe('hit');
          }
          expect(await member.instance.health()).toBe('error');
        }
        cluster.postgres.resume();
      });
    },
    TEST_MS,
  );

  it(
    'lets a miss and a write end with 503 after their deadline',
    async () => {
      const register = await Register.create(cluster);
      await whileWatched(cluster, register, async () => {
        cluster.postgres.pause();
        const miss = impatient.get('/users/999999');
        const write = register.write(impatient);
        for (const answer of [await miss, await write]) {
          expect(answer.status).toBe(503);
          expect(answer.headers['retry-after']).toBe('5');
        }
        cluster.postgres.resume();
      });
    },
    TEST_MS,
  );

  it(
    'in the midst of a write leaves the mark where it is, and the write goes on',
    async () => {
      const register = await Register.create(cluster);
      await whileWatched(cluster, register, async () => {
        const held = writeStep.commit(writer);
        const write = register.write(writer);
        await held.reached();
        expect(await register.stored()).toBe(0);
        cluster.postgres.pause();
        held.letGo();
        await delay(1.5 * LEASE_MS);
        // Whoever meets the mark asks, and gets no answer.
        const [mark, ...others] = await cluster.marks();
        expect(mark?.leaseLeftMs).toBeLessThan(0);
        expect(others).toEqual([]);
        cluster.postgres.resume();
        expect((await write).status).toBe(200);
      });
      expect(await register.stored()).toBe(1);
    },
    TEST_MS,
  );
});
