/** Writes past the service, whose relay is killed, stopped, or loses one of its connections. */
import { describe, expect, it } from 'vitest';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../../support/eventually.js';
import { isLong, itWhenLong, representatives } from '../../support/long-tests.js';
import type { Hold } from '../../support/tcp-link.js';
import type { FaultCluster } from '../support/fault-cluster.js';
import type { UseCluster } from '../support/fault-tests.js';
import { expectReads, HEALING_LIMIT_MS, underWatch, whileWatched } from '../support/healing.js';
import type { Member } from '../support/member.js';
import { allWell, degraded } from '../support/redis-trouble.js';
import { Register } from '../support/register.js';
import {
  allHitAll,
  allRight,
  allRelayed,
  createRegisters,
  relayOf,
  relayStateOf,
  terminateRelay,
  waitingRows,
} from '../support/relaying.js';
import { relayStep } from '../support/steps.js';

const WRITTEN_REGISTERS = isLong ? 20 : 6;
const WRITE_PAUSE_MS = 20;
const TERMINATIONS = isLong ? 6 : 2;

interface Step {
  readonly when: string;
  readonly hold: (relay: Member) => Hold;
  /** The outcome of reads on other instances at this step; `bypass`: the database is queried. */
  readonly others: 'hit of the old' | 'bypass' | 'the new';
}

const steps: readonly Step[] = [
  { when: 'before it replaces versions', hold: relayStep.begin, others: 'hit of the old' },
  { when: 'while it replaces versions', hold: relayStep.end, others: 'bypass' },
  { when: 'before it empties the outbox', hold: relayStep.remove, others: 'the new' },
];

export function relayInterrupted(useCluster: UseCluster): void {
  describe('the relay', () => {
    let cluster: FaultCluster;

    useCluster((started) => {
      cluster = started;
    });

    /** Writes past the service while the relay is held at the step. */
    async function writeUntil({ hold, others }: Step, register: Register) {
      const relay = await relayOf(cluster);
      const held = hold(relay);
      await register.writeOutside();
      await held.reached();
      expect(await waitingRows(cluster)).toBe(1);
      for (const member of cluster.members.filter((each) => each !== relay)) {
        for (const view of register.views) {
          const answer = await member.get(view.path);
          if (others !== 'the new') {
            expect(answer.cache).toBe(others === 'bypass' ? 'bypass' : 'hit');
          }
          expect([view.path, view.shows(answer, others === 'hit of the old' ? 0 : 1)]).toEqual([
            view.path,
            true,
          ]);
        }
      }
      return { relay, held };
    }

    it.each(representatives(steps, 1))(
      'killed $when is replaced by another, which publishes the row',
      async (step) => {
        const stored = await underWatch(cluster, async (register, watch) => {
          const { relay, held } = await writeUntil(step, register);
          await relay.kill();
          held.drop();
          expect(await relayOf(cluster)).not.toBe(relay);
          await allRelayed(cluster);
          await allRight(cluster, [register]);
          await expectReads(cluster, watch);
          await register.writeOutside();
        });
        expect(stored).toBe(2);
      },
    );

    it.each(representatives(steps, 2))(
      'stopped $when is replaced, and takes part again when it continues',
      async (step) => {
        const stored = await underWatch(cluster, async (register, watch) => {
          const { relay, held } = await writeUntil(step, register);
          relay.pause();
          expect(await relayOf(cluster)).not.toBe(relay);
          await allRelayed(cluster);
          await allRight(cluster, [register]);
          await register.writeOutside();
          await expectReads(cluster, watch);

          // The held step continues after its write and later ones have been relayed.
          relay.resume();
          held.letGo();
          await eventually(
            async () => expect(await relayStateOf(relay)).toBe('standby'),
            HEALING_LIMIT_MS,
          );
          await register.writeOutside();
        });
        expect(stored).toBe(3);
      },
    );

    it('whose sessions are ended over and over loses no write', async () => {
      const registers = await createRegisters(cluster, WRITTEN_REGISTERS);
      const watched = await Register.create(cluster);
      await allHitAll(cluster, registers);
      await whileWatched(cluster, watched, async () => {
        let isOver = false;
        const writing = (async () => {
          for (let turn = 0; !isOver || turn < registers.length; turn += 1) {
            await registers[turn % registers.length]?.writeOutside();
            await watched.writeOutside();
            await delay(WRITE_PAUSE_MS);
          }
        })();
        for (let ended = 0; ended < TERMINATIONS; ended += 1) {
          await eventually(async () => expect(await terminateRelay(cluster)).toBe(true));
        }
        isOver = true;
        await writing;
        await allRelayed(cluster);
        await allRight(cluster, [...registers, watched]);
      });
      await relayOf(cluster);
    });

    it('without notifications polls by itself', async () => {
      await underWatch(cluster, async (register) => {
        // The other instances would soon relay beside it.
        const relay = await relayOf(cluster);
        const others = cluster.members.filter((member) => member !== relay);
        for (const other of others) other.pause();
        await register.writeUnnoticed();
        expect((await register.holding()).isPending).toBe(true);
        await allRelayed(cluster);
        await allRight(cluster, [register]);
        for (const other of others) other.resume();
      });
    });

    itWhenLong(
      'whose connection to the database goes dead is replaced, and notices it by itself',
      async () => {
        await underWatch(cluster, async (register, watch) => {
          const relay = await relayOf(cluster);
          const held = relayStep.notified(relay);
          await register.writeOutside();
          await held.reached();
          await allRelayed(cluster);
          await allRight(cluster, [register]);
          await expectReads(cluster, watch);
          // Nothing arrives any more, the end of the connection neither.
          await eventually(
            async () => expect(await relayStateOf(relay)).toBe('standby'),
            HEALING_LIMIT_MS,
          );
          held.drop();
          await register.writeOutside();
        });
      },
    );

    it('that alone is cut off from Redis hands over to another, with its own writes', async () => {
      const [register, own] = (await createRegisters(cluster, 2)) as [Register, Register];
      await allHitAll(cluster, [own]);
      await whileWatched(cluster, register, async (watch) => {
        const relay = await relayOf(cluster);
        relay.redis.refuse();
        await degraded(relay, /Redis is not available/);
        await register.writeOutside();
        expect((await own.write(relay)).status).toBe(200);
        await allRelayed(cluster);
        expect(await relayOf(cluster)).not.toBe(relay);
        await allRight(cluster, [register, own]);
        await expectReads(cluster, watch);
        relay.redis.calm();
        await allWell(cluster);
        await register.writeOutside();
      });
      await allHitAll(cluster, [own]);
    });
  });
}
