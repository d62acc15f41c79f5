import { describe, expect, it } from '@jest/globals';
import { isLong, representatives } from '../support/long-tests.js';
import type { Hold } from '../support/tcp-link.js';
import type { FaultCluster } from './support/fault-cluster.js';
import { TEST_MS, useFaultCluster } from './support/fault-tests.js';
import { allHit, expectReads, whileWatched } from './support/healing.js';
import type { Member } from './support/member.js';
import { allWell, counted, infoOf, tell } from './support/redis-trouble.js';
import { Register } from './support/register.js';
import { writeStep } from './support/steps.js';

const OUTAGES = isLong ? 3 : 1;

describe('a Redis that loses what it held', () => {
  let cluster: FaultCluster;
  let writer: Member;
  let other: Member;

  useFaultCluster((started) => {
    cluster = started;
    [writer, other] = started.members;
  });

  /** Ends the server by SIGKILL and starts it anew; what it then holds is what it was meant to. */
  async function lose({ isEmpty }: { readonly isEmpty: boolean }): Promise<void> {
    const before = await infoOf(cluster.redis, 'run_id');
    await cluster.redis.restart({ empty: isEmpty });
    expect(await infoOf(cluster.redis, 'run_id')).not.toBe(before);
    const loaded = Number(await infoOf(cluster.redis, 'rdb_last_load_keys_loaded'));
    if (isEmpty) expect(loaded).toBe(0);
    else expect(loaded).toBeGreaterThan(0);
  }

  /** Any of the instances may have been the one that replaced an epoch. */
  async function replacedEpochs(): Promise<number> {
    const counts = cluster.running.map((member) => counted(member, 'epochs_replaced_total'));
    return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
  }

  const losses = [
    { loss: 'comes back empty', isEmpty: true },
    { loss: 'comes back from an older snapshot', isEmpty: false },
  ];

  it.each(representatives(losses, 1))(
    'and $loss brings no old answer back',
    async ({ isEmpty }) => {
      const register = await Register.create(cluster);
      const before = await replacedEpochs();
      await whileWatched(cluster, register, async (watch) => {
        await cluster.redis.save();
        expect((await register.write(writer)).status).toBe(200);
        await allHit(cluster, register);
        await lose({ isEmpty });
        await expectReads(cluster, watch);
        expect((await register.write(other)).status).toBe(200);
        await allWell(cluster);
      });
      expect(await register.stored()).toBe(2);
      expect(await replacedEpochs()).toBeGreaterThan(before);
    },
    TEST_MS,
  );

  it.each(representatives(losses, 0))(
    'and $loss between begin and COMMIT does not forget the write',
    async ({ isEmpty }) => {
      const register = await Register.create(cluster);
      await whileWatched(cluster, register, async (watch) => {
        await cluster.redis.save();
        const held = writeStep.commit(writer);
        const write = register.write(writer);
        await held.reached();
        expect(await cluster.marks()).toHaveLength(1);

        await lose({ isEmpty });
        expect(await cluster.marks()).toEqual([]);
        await allWell(cluster);
        await expectReads(cluster, watch);
        // Nothing is trusted until the transaction has ended.
        expect(await register.stored()).toBe(0);
        for (const { path } of register.views) {
          expect((await other.get(path)).cache).toBe('bypass');
        }
        held.letGo();
        expect((await write).status).toBe(200);
      });
      expect(await register.stored()).toBe(1);
    },
    TEST_MS,
  );

  it(
    'and loses the mark and the versions of a write under way does not forget the write, and says so',
    async () => {
      const register = await Register.create(cluster);
      const lost = async (): Promise<number> => {
        const counts = cluster.running.map((member) =>
          counted(member, 'epochs_replaced_total', 'cause="lost"'),
        );
        return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
      };
      const before = await lost();
      await whileWatched(cluster, register, async (watch) => {
        await allHit(cluster, register);
        const held = writeStep.commit(writer);
        const write = register.write(writer);
        await held.reached();
        expect(await cluster.marks()).toHaveLength(1);
        const keys = await cluster.keys('tidemark:*:{public.users}:*');
        for (const key of keys.filter((name) => !name.endsWith(':e'))) {
          await tell(cluster.redis, 'DEL', key);
        }
        await expectReads(cluster, watch);
        expect(await register.stored()).toBe(0);
        for (const { path } of register.views) {
          expect((await other.get(path)).cache).toBe('bypass');
        }
        // Committed and answered, and `end` has not come yet.
        const late = writeStep.end(writer);
        held.letGo();
        expect((await write).status).toBe(200);
        await expectReads(cluster, watch);
        late.letGo();
        await allHit(cluster, register);
        expect(await lost()).toBeGreaterThan(before);
        const logs = cluster.running.map(({ instance }) => instance.process.log).join('');
        expect(logs).toMatch(/Redis at \S+ has lost data of the cache/);
        await allWell(cluster);
      });
      expect(await register.stored()).toBe(1);
    },
    TEST_MS,
  );

  const savedWhen: readonly { when: string; step: (writer: Member) => Hold }[] = [
    { when: 'while the mark lies on a write that ends later', step: writeStep.commit },
    { when: 'between COMMIT and end', step: writeStep.end },
  ];

  it.each(representatives(savedWhen, 0))(
    'brings no mark back that was saved $when',
    async ({ step }) => {
      const register = await Register.create(cluster);
      await whileWatched(cluster, register, async (watch) => {
        const held = step(writer);
        const write = register.write(writer);
        await held.reached();
        expect(await cluster.marks()).toHaveLength(1);
        await cluster.redis.save();
        held.letGo();
        expect((await write).status).toBe(200);
        await allHit(cluster, register);
        expect((await register.write(other)).status).toBe(200);
        await allHit(cluster, register);

        await lose({ isEmpty: false });
        await expectReads(cluster, watch);
      });
      expect(await register.stored()).toBe(2);
    },
    TEST_MS,
  );

  it(
    'and is away for a while lets writes commit, and each of them counts when it is back',
    async () => {
      const register = await Register.create(cluster);
      const unannounced = await counted(writer, 'unannounced_writes_total');
      await whileWatched(cluster, register, async (watch) => {
        for (let outage = 1; outage <= OUTAGES; outage += 1) {
          await cluster.redis.save();
          await cluster.redis.kill();
          const isBack = { now: false };
          // Every instance writes through the outage and the very moment of its end.
          const writing = (async () => {
            for (let rest = 30; rest > 0; rest -= isBack.now ? 1 : 0) {
              const [member] = cluster.members.slice(rest % 3);
              expect((await register.write(member ?? writer)).status).toBe(200);
            }
          })();
          await expectReads(cluster, watch);
          await cluster.redis.restart();
          isBack.now = true;
          await writing;
          await allHit(cluster, register);
        }
        await allWell(cluster);
      });
      expect(await counted(writer, 'unannounced_writes_total')).toBeGreaterThan(unannounced);
    },
    TEST_MS,
  );
});
