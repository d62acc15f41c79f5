import { describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.js';
import { itWhenLong, representatives } from '../../support/long-tests.js';
import {
  statusOf,
  waitingCommit,
  whileCommitsWait,
  whileStandbyIsMissing,
} from '../support/commit-wait.js';
import type { FaultCluster } from '../support/fault-cluster.js';
import type { UseCluster } from '../support/fault-tests.js';
import { expectReads, underWatch } from '../support/healing.js';
import type { Member } from '../support/member.js';
import { postgresEnds } from '../support/postgres-troubles.js';
import type { Register } from '../support/register.js';
import type { Watch } from '../support/watch.js';

/** The ways in which a writer loses the answer to its COMMIT; the server does not notice while COMMIT waits. */
const partings: readonly { readonly how: string; readonly part: (writer: Member) => unknown }[] = [
  { how: 'its client is killed', part: (writer) => writer.kill() },
  { how: 'its connection is lost', part: ({ postgres }) => postgres.cut() },
];

export function commitHangs(useCluster: UseCluster): void {
  describe('a COMMIT that hangs in the server', () => {
    let cluster: FaultCluster;
    let writer: Member;
    let other: Member;

    useCluster((started) => {
      cluster = started;
      [writer, other] = started.members;
    });

    /** The lease runs out; PostgreSQL reports that the transaction is under way. */
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
        await underWatch(cluster, async (register, watch) => {
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
    );

    itWhenLong('for a standby, longer than the lease, and is answered then', async () => {
      const stored = await underWatch(cluster, async (register, watch) => {
        await whileStandbyIsMissing(cluster, async (letGo) => {
          const write = register.write(writer);
          await waitingCommit(cluster);
          await outliveTheLease(register, watch);

          await letGo();
          expect((await write).status).toBe(200);
        });
      });
      expect(stored).toBe(1);
    });

    it('for a standby, until its wait is cancelled', async () => {
      const stored = await underWatch(cluster, async (register, watch) => {
        await whileStandbyIsMissing(cluster, async () => {
          const write = register.write(writer);
          const pid = await waitingCommit(cluster);
          await outliveTheLease(register, watch);

          // The COMMIT has been decided: cancelling it only ends the wait.
          await cluster.sql('SELECT pg_cancel_backend($1)', [pid]);
          expect((await write).status).toBe(200);
        });
      });
      expect(stored).toBe(1);
    });

    const undecided = partings.flatMap((parting) => [
      { ...parting, verdict: 'commit' as const, number: 1 },
      { ...parting, verdict: 'rollback' as const, number: 0 },
    ]);

    it.each(representatives(undecided, 3))(
      'before it is decided, while $how, and ends in a $verdict',
      async ({ part, verdict, number }) => {
        const stored = await underWatch(cluster, async (register, watch) => {
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
        expect(stored).toBe(number);
      },
    );

    it('before it is decided, until its session is ended, is lost, and gets 503', async () => {
      const stored = await underWatch(cluster, async (register) => {
        await whileCommitsWait(cluster, async () => {
          const write = register.write(writer);
          const pid = await waitingCommit(cluster);
          expect(await cluster.marks()).not.toEqual([]);
          expect(await cluster.terminate(`pid = ${pid}`)).toBe(1);
          expect((await write).status).toBe(503);
        });
      });
      expect(stored).toBe(0);
    });

    it('for a standby, until its session is ended, is done, and gets 503', async () => {
      const stored = await underWatch(cluster, async (register) => {
        await whileStandbyIsMissing(cluster, async () => {
          const write = register.write(writer);
          const pid = await waitingCommit(cluster);
          // The reloaded configuration is published too, for a moment.
          await eventually(async () => expect(await cluster.marks()).toHaveLength(1));
          expect(await cluster.terminate(`pid = ${pid}`)).toBe(1);
          expect((await write).status).toBe(503);
          expect(await register.stored()).toBe(1);
          // Its outcome is still unknown.
          expect((await other.get(register.path)).cache).not.toBe('hit');
        });
      });
      expect(stored).toBe(1);
    });

    it.each(representatives(postgresEnds.slice(1), 0))(
      'for a standby, until PostgreSQL $how, is carried out by recovery, and gets 503',
      async ({ begin, end }) => {
        await underWatch(cluster, async (register) => {
          await whileStandbyIsMissing(cluster, async (letGo) => {
            const write = register.write(writer);
            await waitingCommit(cluster);
            expect(await register.stored()).toBe(0);
            await begin(cluster.postgres);
            expect((await write).status).toBe(503);
            await end(cluster.postgres);
            await letGo();
            expect(await register.stored()).toBe(1);
          });
        });
      },
    );
  });
}
