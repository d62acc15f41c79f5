import { describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import type { FaultCluster } from './support/fault-cluster.js';
import { TEST_MS, useFaultCluster } from './support/fault-tests.js';
import { LEASE_MS, whileWatched } from './support/healing.js';
import type { Member } from './support/member.js';
import { Register } from './support/register.js';
import { writeStep } from './support/steps.js';

/** As many as an instance has connections. */
const POOL = 10;
/** For what never ends; a slow machine is not meant. */
const HANG_MS = 45_000;

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
    'behind a network that loses packets, ends every request with 503 after its deadline',
    async () => {
      const register = await Register.create(cluster);
      await whileWatched(cluster, register, async () => {
        const commit = writeStep.commit(impatient);
        const committing = register.write(impatient);
        await commit.reached();
        impatient.postgres.freeze();
        const startedMs = performance.now();
        const answers = await Promise.all([
          committing,
          impatient.patch('/users/999999', { region: 'US' }),
          ...Array.from({ length: POOL }, () => impatient.get('/users/999999')),
        ]);
        expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 503));
        expect(await impatient.instance.health()).toBe('error');
        // New connections are accepted, and get no answer either.
        expect((await impatient.get('/users/999999')).status).toBe(503);
        expect(performance.now() - startedMs).toBeLessThan(HANG_MS);
        impatient.postgres.thaw();
        commit.letGo();
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
