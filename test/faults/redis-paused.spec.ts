import { afterEach, describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { representatives } from '../support/long-tests.js';
import type { FaultCluster } from './support/fault-cluster.js';
import { TEST_MS, useFaultCluster } from './support/fault-tests.js';
import { expectReads, whileWatched } from './support/healing.js';
import type { Member } from './support/member.js';
import { allDegraded, allWell, counted, degraded } from './support/redis-trouble.js';
import { Register } from './support/register.js';

const TIMEOUT_MS = 1_000;

const policies = ['commit', 'refuse'] as const;

describe.each(representatives(policies, 0))('under the policy %s', (policy) => {
  let cluster: FaultCluster;
  let writer: Member;
  let other: Member;

  afterEach(() => cluster.redis.resume());
  useFaultCluster(
    (started) => {
      cluster = started;
      [writer, other] = started.members;
    },
    { env: { REDIS_TIMEOUT_MS: String(TIMEOUT_MS), CACHE_WRITE_POLICY: policy } },
  );
  afterEach(() => allWell(cluster));

  /** A write while Redis is away: let through unannounced, or refused with nothing changed. */
  async function expectWriteByPolicy(register: Register, member: Member): Promise<void> {
    const before = await register.stored();
    const counter = policy === 'commit' ? 'unannounced_writes_total' : 'refused_writes_total';
    const count = await counted(member, counter);
    const answer = await register.write(member);
    expect(answer.status).toBe(policy === 'commit' ? 200 : 503);
    expect(await register.stored()).toBe(policy === 'commit' ? register.highest : before);
    if (policy === 'refuse') expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    expect(await counted(member, counter)).toBeGreaterThan(count);
  }

  it(
    'a Redis that stands still for less than a command may take delays what is asked',
    async () => {
      const register = await Register.create(cluster);
      await whileWatched(cluster, register, async (watch) => {
        for (const member of cluster.members) {
          cluster.redis.pause();
          const write = register.write(member);
          await delay(TIMEOUT_MS / 4);
          cluster.redis.resume();
          // On a busy machine it may have taken too long after all.
          expect([200, 503]).toContain((await write).status);
          await expectReads(cluster, watch, 2);
        }
      });
    },
    TEST_MS,
  );

  it(
    'a Redis that stands still for longer holds nobody up, and nothing old is served',
    async () => {
      const register = await Register.create(cluster);
      await whileWatched(cluster, register, async (watch) => {
        cluster.redis.pause();
        await expectWriteByPolicy(register, writer);
        await allDegraded(cluster, /Redis is not available/);
        for (const { path } of register.views) {
          expect((await other.get(path)).cache).toBe('bypass');
        }
        await expectReads(cluster, watch);
        await expectWriteByPolicy(register, other);
        cluster.redis.resume();
        await allWell(cluster);
        expect((await register.write(writer)).status).toBe(200);
      });
    },
    TEST_MS,
  );

  it.each(['freeze', 'refuse'] as const)(
    'an instance that alone is cut off (%s) misses no write of another',
    async (cut) => {
      const register = await Register.create(cluster);
      await whileWatched(cluster, register, async (watch) => {
        other.redis[cut]();
        await degraded(other, /Redis is not available/);
        expect((await register.write(writer)).status).toBe(200);
        await writer.instance.warm(register.path);
        await expectReads(cluster, watch);
        await expectWriteByPolicyOfCutOff(register);
        other.redis.calm();
        await allWell(cluster);
        expect((await register.write(writer)).status).toBe(200);
      });
    },
    TEST_MS,
  );

  /**
   * Under `commit` a write of the one that is cut off is the window that the README names: others
   * may serve what it has changed until it reaches Redis again. Under `refuse` there is none.
   */
  async function expectWriteByPolicyOfCutOff(register: Register): Promise<void> {
    if (policy === 'refuse') await expectWriteByPolicy(register, other);
  }
});
