import { describe, expect, it } from '@jest/globals';
import type { Answer } from '../e2e/support/answer.js';
import { eventually } from '../support/eventually.js';
import { representatives } from '../support/long-tests.js';
import { waitingCommit, whileCommitsWait, whileStandbyIsMissing } from './support/commit-wait.js';
import type { FaultCluster } from './support/fault-cluster.js';
import { TEST_MS, useFaultCluster } from './support/fault-tests.js';
import { expectReads, whileWatched } from './support/healing.js';
import type { Member } from './support/member.js';
import { Register } from './support/register.js';
import type { Watch } from './support/watch.js';

/** How a writer comes to lose what it waits for; the server does not notice while COMMIT waits. */
const partings: readonly { readonly how: string; readonly part: (writer: Member) => unknown }[] = [
  { how: 'its client is killed', part: (writer) => writer.kill() },
  { how: 'its connection is lost', part: ({ postgres }) => postgres.cut() },
];

describe('a COMMIT that hangs in the server', () => {
  let cluster: FaultCluster;
  let writer: Member;
  let other: Member;

  useFaultCluster((started) => {
    cluster = started;
    [writer, other] = started.members;
  });

  /** The lease runs out; whoever asks is told that the transaction is under way. */
  async function outliveTheLease(register: Register, watch: Watch): Promise<void> {
    await eventually(async () => {
      expect(await cluster.marks()).toEqual([expect.objectContaining({ isRenewed: true })]);
    });
    expect(await register.stored()).toBe(0);
    expect((await other.get(register.path)).cache).toBe('bypass');
    await expectReads(cluster, watch);
  }

  it.each(representatives(partings, 0))(
    'for a standby, while $how and the lease runs out',
    async ({ part }) => {
      const register = await Register.create(cluster);
      await whileWatched(cluster, register, async (watch) => {
        await whileStandbyIsMissing(cluster, async (letGo) => {
          const write = statusOf(register.write(writer));
          await waitingCommit(cluster);
          await part(writer);
          expect(await write).not.toBe(200);
          await outliveTheLease(register, watch);

          await letGo();
          await eventually(async () => expect(await register.stored()).toBe(1));
        });
      });
    },
    TEST_MS,
  );

  it(
    'for a standby, longer than the lease, and is answered then',
    async () => {
      const register = await Register.create(cluster);
      await whileWatched(cluster, register, async (watch) => {
        await whileStandbyIsMissing(cluster, async (letGo) => {
          const write = register.write(writer);
          await waitingCommit(cluster);
          await outliveTheLease(register, watch);

          await letGo();
          expect((await write).status).toBe(200);
        });
      });
      expect(await register.stored()).toBe(1);
    },
    TEST_MS,
  );

  it(
    'for a standby, until its wait is cancelled',
    async () => {
      const register = await Register.create(cluster);
      await whileWatched(cluster, register, async (watch) => {
        await whileStandbyIsMissing(cluster, async () => {
          const write = register.write(writer);
          const pid = await waitingCommit(cluster);
          await outliveTheLease(register, watch);

          // It has been decided: cancelling it only ends the wait.
          await cluster.sql('SELECT pg_cancel_backend($1)', [pid]);
          expect((await write).status).toBe(200);
        });
      });
      expect(await register.stored()).toBe(1);
    },
    TEST_MS,
  );

  const undecided = partings.flatMap((parting) => [
    { ...parting, verdict: 'commit' as const, number: 1 },
    { ...parting, verdict: 'rollback' as const, number: 0 },
  ]);

  it.each(representatives(undecided, 1, 2))(
    'before it is decided, while $how, and ends in a $verdict',
    async ({ part, verdict, number }) => {
      const register = await Register.create(cluster);
      await whileWatched(cluster, register, async (watch) => {
        await whileCommitsWait(cluster, async (decide) => {
          const write = statusOf(register.write(writer));
          const pid = await waitingCommit(cluster);
          await part(writer);
          expect(await write).not.toBe(200);
          await outliveTheLease(register, watch);

          await decide(verdict);
          await eventually(async () => {
            const text = 'SELECT pid FROM pg_stat_activity WHERE pid = $1';
            expect(await cluster.sql(text, [pid])).toEqual([]);
          });
        });
      });
      expect(await register.stored()).toBe(number);
    },
    TEST_MS,
  );
});

/** The status of the answer; `undefined` where none came. */
async function statusOf(answer: Promise<Answer>): Promise<number | undefined> {
  return answer.then(
    ({ status }) => status,
    () => undefined,
  );
}
