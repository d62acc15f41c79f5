/** Rows that wait in the outbox: many of them, and some that outlive the database's own end. */
import { describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { representatives } from '../support/long-tests.js';
import type { Hold } from '../support/tcp-link.js';
import type { FaultCluster } from './support/fault-cluster.js';
import { TEST_MS, useFaultCluster } from './support/fault-tests.js';
import { expectReads, whileWatched } from './support/healing.js';
import type { Member } from './support/member.js';
import { OUTBOX } from './support/outbox.js';
import { Register } from './support/register.js';
import { allRight, allTold, createRegisters, relayOf, waitingRows } from './support/relaying.js';
import { relayStep } from './support/steps.js';
import type { Watch } from './support/watch.js';

/** Far fewer than are answered on a machine that is busy with others. */
const LEAST_READS = 10;
const DRAIN_LIMIT_MS = 90_000;
/** Counting so many rows is work, too. */
const LOOK_PAUSE_MS = 200;

describe('what waits in the outbox', () => {
  let cluster: FaultCluster;

  useFaultCluster((started) => {
    cluster = started;
  });

  /** As the triggers record it, nobody notified. Every hundredth row is about the register. */
  async function fill(register: Register, rows: number, ids: number): Promise<void> {
    const [, even, odd] = register.views.map(({ path }) => path.split('=')[1]);
    await cluster.sql(
      `INSERT INTO ${OUTBOX} (table_name, regions)
         SELECT 'public.users', CASE WHEN n % 100 = 0
           THEN jsonb_build_object('id', jsonb_build_array(jsonb_build_array($3::text)),
             'region', jsonb_build_array(jsonb_build_array($4::text), jsonb_build_array($5::text)))
           ELSE jsonb_build_object(
             'id', (SELECT jsonb_agg(jsonb_build_array((1000000 + n * $2::int + i)::text))
                      FROM generate_series(1, $2::int) i),
             'region', jsonb_build_array(jsonb_build_array('Z' || n % 50))) END
           FROM generate_series(1, $1::int) n`,
      [rows, ids, register.id, even, odd],
    );
  }

  /** How many reads each instance has answered up to the last look that found the outbox not empty. */
  async function readsUntilTold(watch: Watch): Promise<number[]> {
    const { members } = cluster;
    const before = members.map((member) => watch.readsOf(member));
    const endMs = performance.now() + DRAIN_LIMIT_MS;
    let answered: number[] = [];
    for (;;) {
      const now = members.map((member, index) => watch.readsOf(member) - (before[index] ?? 0));
      const rows = await waitingRows(cluster);
      if (rows === 0) return answered;
      answered = now;
      expect(performance.now()).toBeLessThan(endMs);
      await delay(LOOK_PAUSE_MS);
    }
  }

  const waiting = [
    { rows: 100_000, ids: 1, leastReads: LEAST_READS },
    // As many as are recorded one by one. It may be over before the others have been asked.
    { rows: 3_000, ids: 100, leastReads: 0 },
  ];

  it.each(representatives(waiting, 0))(
    'is told while reads go on: $rows rows with $ids ids each',
    async ({ rows, ids, leastReads }) => {
      const register = await Register.create(cluster);
      await whileWatched(cluster, register, async (watch) => {
        await fill(register, rows, ids);
        await register.writeOutside();
        const readsWhileWaiting = await readsUntilTold(watch);
        await allRight(cluster, [register]);
        await expectReads(cluster, watch);
        expect(Math.min(...readsWhileWaiting)).toBeGreaterThanOrEqual(leastReads);
      });
    },
    TEST_MS,
  );

  const steps: readonly { when: string; hold: (relay: Member) => Hold }[] = [
    { when: 'before it is told', hold: relayStep.begin },
    { when: 'when it has been told', hold: relayStep.remove },
  ];

  it.each(representatives(steps, 0))(
    'outlives a kill -9 of PostgreSQL $when',
    async ({ hold }) => {
      const registers = await createRegisters(cluster, 3);
      const [watched] = registers as [Register];
      await whileWatched(cluster, watched, async (watch) => {
        const held = hold(await relayOf(cluster));
        for (const register of registers) await register.writeOutside();
        await held.reached();
        await cluster.postgres.kill();
        await expectReads(cluster, watch);
        await cluster.postgres.restart();
        expect(await waitingRows(cluster)).toBeGreaterThan(0);
        held.drop();
        await allTold(cluster);
        await allRight(cluster, registers);
        await watched.writeOutside();
      });
    },
    TEST_MS,
  );

  it(
    'outlives the end of all instances',
    async () => {
      const registers = await createRegisters(cluster, 3);
      const [watched] = registers as [Register];
      await whileWatched(cluster, watched, async () => {
        await Promise.all(cluster.members.map((member) => member.kill()));
        for (const register of registers) await register.writeOutside();
        await Promise.all(cluster.members.map((member) => member.mend()));
        await allTold(cluster);
        await allRight(cluster, registers);
      });
    },
    TEST_MS,
  );
});
