/**
 * A write with a fault at one of its steps. No reader gets an old answer, no mark or lock
 * stays behind, and the client gets a true answer.
 */
import { describe, expect, it } from 'vitest';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../../support/eventually.js';
import { itWhenLong, representatives } from '../../support/long-tests.js';
import type { Hold } from '../../support/tcp-link.js';
import { statusOf } from '../support/commit-wait.js';
import type { FaultCluster } from '../support/fault-cluster.js';
import type { UseCluster } from '../support/fault-tests.js';
import { allHit, expectReads, HEALING_LIMIT_MS, LEASE_MS, underWatch } from '../support/healing.js';
import type { Member } from '../support/member.js';
import { postgresEnds } from '../support/postgres-troubles.js';
import { Register } from '../support/register.js';
import { writeStep } from '../support/steps.js';

interface Step {
  readonly when: string;
  readonly hold: (writer: Member) => Hold;
  /** The number of marks in Redis at this step. */
  readonly marks: number;
  /** The number stored in the database at this step. */
  readonly number: number;
}

const step = {
  updated: { when: 'before begin', hold: writeStep.updated, marks: 0, number: 0 },
  begin: { when: 'while begin is on its way', hold: writeStep.begin, marks: 0, number: 0 },
  commit: { when: 'between begin and COMMIT', hold: writeStep.commit, marks: 1, number: 0 },
  committed: { when: 'before COMMIT is answered', hold: writeStep.committed, marks: 1, number: 1 },
  end: { when: 'between COMMIT and end', hold: writeStep.end, marks: 1, number: 1 },
} satisfies Record<string, Step>;

let cluster: FaultCluster;
let writer: Member;
let other: Member;

/** Sends a write that stops at the step. */
async function writeUntil({ hold, marks, number }: Step, register: Register) {
  const held = hold(writer);
  const write = statusOf(register.write(writer));
  await held.reached();
  expect(await cluster.marks()).toHaveLength(marks);
  expect(await register.stored()).toBe(number);
  return { held, write };
}

/** The lease runs out, and an instance that queries PostgreSQL finds the transaction under way. */
async function markRenewed(): Promise<void> {
  await eventually(async () => {
    expect(await cluster.marks()).toEqual([expect.objectContaining({ isRenewed: true })]);
  }, 4 * LEASE_MS);
}

export function writeInterrupted(useCluster: UseCluster): void {
  useCluster((started) => {
    cluster = started;
    [writer, other] = started.members;
  });

  describe('a writer killed', () => {
    const steps = [step.updated, step.commit, step.committed, step.end];

    it.each(representatives(steps, 2))(
      '$when leaves the committed rows and no mark',
      async (at) => {
        const stored = await underWatch(cluster, async (register, watch) => {
          const { held, write } = await writeUntil(at, register);
          await expectReads(cluster, watch);
          await writer.kill();
          held.drop();
          await write;
        });
        expect(stored).toBe(at.number);
      },
    );

    it('with its COMMIT on the way leaves no stale answer when it arrives after the lease', async () => {
      await underWatch(cluster, async (register, watch) => {
        const { held, write } = await writeUntil(step.commit, register);
        await writer.kill();
        await write;
        await markRenewed();
        expect(await register.stored()).toBe(0);
        await expectReads(cluster, watch);
        held.letGo();
        await eventually(async () => expect(await register.stored()).toBe(1));
      });
    });

    it('leaves no mark, also where no client reads any more', async () => {
      const register = await Register.create(cluster);
      await allHit(cluster, register);
      const { held, write } = await writeUntil(step.commit, register);
      await writer.kill();
      held.drop();
      await write;
      await eventually(async () => expect(await cluster.marks()).toEqual([]), HEALING_LIMIT_MS);
    });

    itWhenLong('restarts and takes part again', async () => {
      const stored = await underWatch(cluster, async (register) => {
        const { held, write } = await writeUntil(step.commit, register);
        await writer.kill();
        held.drop();
        await write;
        await writer.mend();
        expect((await register.write(writer)).status).toBe(200);
      });
      expect(stored).toBe(2);
    });
  });

  describe('a writer stopped for longer than its lease', () => {
    itWhenLong('before begin prevents no hits, and continues', async () => {
      const stored = await underWatch(cluster, async (register, watch) => {
        const { held, write } = await writeUntil(step.updated, register);
        writer.pause();
        held.letGo();
        // Nothing to wait for: no mark is to appear.
        await delay(1.5 * LEASE_MS);
        expect(await cluster.marks()).toEqual([]);
        await allHit(cluster, register);
        await expectReads(cluster, watch);
        writer.resume();
        expect(await write).toBe(200);
      });
      expect(stored).toBe(1);
    });

    it.each(representatives([step.begin, step.commit], 1))(
      '$when keeps its mark, and continues',
      async (at) => {
        const stored = await underWatch(cluster, async (register, watch) => {
          const { held, write } = await writeUntil(at, register);
          writer.pause();
          if (at.marks === 0) held.letGo();
          await markRenewed();
          expect(await register.stored()).toBe(0);
          expect((await other.get(register.path)).cache).toBe('bypass');
          await expectReads(cluster, watch);
          writer.resume();
          held.letGo();
          expect(await write).toBe(200);
        });
        expect(stored).toBe(1);
      },
    );

    it.each(representatives([step.committed, step.end], 1))(
      '$when is settled by others, and does no harm when it continues',
      async (at) => {
        const stored = await underWatch(cluster, async (register, watch) => {
          const { held, write } = await writeUntil(at, register);
          writer.pause();
          expect((await other.get(register.path)).cache).toBe('bypass');
          // The mark is settled, and the others are back to hits, while the writer still stands.
          await eventually(async () => expect(await cluster.marks()).toEqual([]));
          await allHit(cluster, register);
          expect((await register.write(other)).status).toBe(200);
          await allHit(cluster, register);
          await expectReads(cluster, watch);
          writer.resume();
          held.letGo();
          expect(await write).toBe(200);
        });
        expect(stored).toBe(2);
      },
    );

    itWhenLong(
      'between begin and COMMIT releases its row after some seconds, and gets 503',
      async () => {
        // A transaction may be idle for as long as four commands of Redis, and five seconds at least.
        await writer.restart({ REDIS_TIMEOUT_MS: '500' });
        const stored = await underWatch(cluster, async (register) => {
          const { held, write } = await writeUntil(step.commit, register);
          writer.pause();
          expect((await register.write(other)).status).toBe(200);
          writer.resume();
          held.letGo();
          expect(await write).toBe(503);
          expect(await register.stored()).toBe(2);
          await eventually(async () => expect((await register.write(writer)).status).toBe(200));
        });
        expect(stored).toBeGreaterThan(2);
        await writer.restart();
      },
    );
  });

  describe('a write whose session PostgreSQL ends', () => {
    it.each(representatives([step.updated, step.commit], 1))(
      '$when is lost, and gets 503',
      async (at) => {
        const stored = await underWatch(cluster, async (register) => {
          const { held, write } = await writeUntil(at, register);
          expect(await cluster.terminate(`state = 'idle in transaction'`)).toBe(1);
          held.letGo();
          expect(await write).toBe(503);
          expect(await register.stored()).toBe(0);
        });
        expect(stored).toBe(0);
      },
    );

    it('before COMMIT is answered is done, and gets 503', async () => {
      const stored = await underWatch(cluster, async (register) => {
        const { held, write } = await writeUntil(step.committed, register);
        held.drop();
        expect(await write).toBe(503);
      });
      expect(stored).toBe(1);
    });

    const ends = postgresEnds.flatMap((end) =>
      [step.commit, step.committed].map((at) => ({ ...end, at, when: at.when })),
    );

    it.each(representatives(ends, 5))(
      '$when with the whole server, which $how, gets 503 and stays in doubt until it is back',
      async ({ begin, at }) => {
        const stored = await underWatch(cluster, async (register, watch) => {
          const { held, write } = await writeUntil(at, register);
          await begin(cluster.postgres);
          held.drop();
          expect(await write).toBe(503);
          // PostgreSQL cannot be queried: regions in doubt stay in doubt.
          expect(await cluster.marks()).toHaveLength(1);
          await expectReads(cluster, watch);
          await cluster.postgres.restart();
          expect(await register.stored()).toBe(at.number);
        });
        expect(stored).toBe(at.number);
      },
    );

    it('between begin and COMMIT stays marked while PostgreSQL hangs, and continues with it', async () => {
      const stored = await underWatch(cluster, async (register) => {
        const { held, write } = await writeUntil(step.commit, register);
        cluster.postgres.pause();
        held.letGo();
        // An instance that meets the mark asks, and gets no answer.
        await eventually(async () => {
          expect((await cluster.marks()).map(({ leaseLeftMs }) => leaseLeftMs < 0)).toEqual([true]);
        });
        await delay(LEASE_MS / 2);
        expect(await cluster.marks()).toHaveLength(1);
        cluster.postgres.resume();
        expect(await write).toBe(200);
      });
      expect(stored).toBe(1);
    });
  });
}
