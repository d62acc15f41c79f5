import { describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../support/eventually.js';
import { isLong } from '../support/long-tests.js';
import type { Hold } from '../support/tcp-link.js';
import { waitingCommit, whileCommitsWait, whileStandbyIsMissing } from './support/commit-wait.js';
import type { FaultCluster } from './support/fault-cluster.js';
import { TEST_MS, useFaultCluster } from './support/fault-tests.js';
import { whileWatched } from './support/healing.js';
import type { Member } from './support/member.js';
import { Register } from './support/register.js';
import { fillStep, writeStep } from './support/steps.js';

const ROUNDS = isLong ? 60 : 20;
/** About as long: the cuts are to fall anywhere within a write. */
const WRITE_TAKES_MS = 15;
const SERVICE_BACKENDS = `datname = current_database() AND application_name = 'tidemark'`;

describe('a connection cut by the server', () => {
  let cluster: FaultCluster;
  let writer: Member;
  let other: Member;

  useFaultCluster((started) => {
    cluster = started;
    [writer, other] = started.members;
  });

  /** Ends the sessions of the service that meet the condition; answers how many. */
  async function terminate(condition: string): Promise<number> {
    const rows = await cluster.sql(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE ${SERVICE_BACKENDS} AND ${condition}`,
    );
    await eventually(async () => {
      const text = `SELECT pid FROM pg_stat_activity WHERE ${SERVICE_BACKENDS} AND ${condition}`;
      expect(await cluster.sql(text)).toEqual([]);
    });
    return rows.length;
  }

  it(
    'while idle is replaced without a word',
    async () => {
      const register = await Register.create(cluster);
      await whileWatched(cluster, register, async () => {
        const rows = await cluster.sql(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE ${SERVICE_BACKENDS} AND state = 'idle'`,
        );
        expect(rows.length).toBeGreaterThanOrEqual(cluster.members.length);
        for (const member of cluster.members) {
          await eventually(async () => expect((await register.write(member)).status).toBe(200));
        }
      });
    },
    TEST_MS,
  );

  it.each<{ when: string; hold: (writer: Member) => Hold; marks: number }>([
    { when: 'before begin', hold: writeStep.updated, marks: 0 },
    { when: 'between begin and COMMIT', hold: writeStep.commit, marks: 1 },
  ])(
    '$when takes the write with it, and says so',
    async ({ hold, marks }) => {
      const register = await Register.create(cluster);
      await whileWatched(cluster, register, async () => {
        const held = hold(writer);
        const write = register.write(writer);
        await held.reached();
        expect(await cluster.marks()).toHaveLength(marks);
        expect(await terminate(`state = 'idle in transaction'`)).toBe(1);
        held.letGo();
        expect((await write).status).toBe(503);
        expect(await register.stored()).toBe(0);
      });
      expect(await register.stored()).toBe(0);
    },
    TEST_MS,
  );

  it(
    'during COMMIT, before it is decided, takes the write with it',
    async () => {
      const register = await Register.create(cluster);
      await whileWatched(cluster, register, async () => {
        await whileCommitsWait(cluster, async () => {
          const write = register.write(writer);
          const pid = await waitingCommit(cluster);
          expect(await cluster.marks()).not.toEqual([]);
          await terminate(`pid = ${pid}`);
          expect((await write).status).toBe(503);
        });
      });
      expect(await register.stored()).toBe(0);
    },
    TEST_MS,
  );

  it(
    'during COMMIT, after it is decided, leaves the write done and its client without knowing',
    async () => {
      const register = await Register.create(cluster);
      await whileWatched(cluster, register, async () => {
        await whileStandbyIsMissing(cluster, async () => {
          const write = register.write(writer);
          const pid = await waitingCommit(cluster);
          // The reloaded configuration is announced too, for a moment.
          await eventually(async () => expect(await cluster.marks()).toHaveLength(1));
          await terminate(`pid = ${pid}`);
          expect((await write).status).toBe(503);
          expect(await register.stored()).toBe(1);
          // Nobody can tell yet what became of it.
          expect((await other.get(register.path)).cache).not.toBe('hit');
        });
      });
      expect(await register.stored()).toBe(1);
    },
    TEST_MS,
  );

  it(
    'before COMMIT is answered leaves the write done and its client without knowing',
    async () => {
      const register = await Register.create(cluster);
      await whileWatched(cluster, register, async () => {
        const held = writeStep.committed(writer);
        const write = register.write(writer);
        await held.reached();
        expect(await register.stored()).toBe(1);
        held.drop();
        expect((await write).status).toBe(503);
      });
      expect(await register.stored()).toBe(1);
    },
    TEST_MS,
  );

  it(
    'in the middle of a fill is replaced, and the fill is run once more',
    async () => {
      const register = await Register.create(cluster);
      const path = `${register.evenList.path}&limit=77`;
      await whileWatched(cluster, register, async () => {
        const held = fillStep.selected(other);
        const reading = other.get(path);
        await held.reached();
        held.drop();
        expect((await reading).status).toBe(200);
        for (const member of cluster.members) await member.instance.warm(path);
      });
    },
    TEST_MS,
  );

  it(
    'along with all others, again and again under writes, is replaced',
    async () => {
      const register = await Register.create(cluster);
      await whileWatched(cluster, register, async () => {
        let cut = 0;
        const outcomes = new Set<number>();
        for (let round = 0; round < ROUNDS; round += 1) {
          // One write at a time: the numbers are to be committed in their order.
          const write = register.write(cluster.members[round % 3] ?? writer);
          await delay(Math.random() * WRITE_TAKES_MS);
          const rows = await cluster.sql(
            `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${SERVICE_BACKENDS}`,
          );
          cut += rows.length;
          const { status } = await write;
          expect([200, 503]).toContain(status);
          outcomes.add(status);
        }
        expect(cut).toBeGreaterThan(ROUNDS);
        expect(outcomes).toContain(503);
      });
    },
    TEST_MS,
  );
});
