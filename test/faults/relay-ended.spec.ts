/** Writes past the service, whose relay is killed or stopped before it has done with them. */
import { describe, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { representatives } from '../support/long-tests.js';
import type { Hold } from '../support/tcp-link.js';
import type { FaultCluster } from './support/fault-cluster.js';
import { TEST_MS, useFaultCluster } from './support/fault-tests.js';
import { expectReads, HEALING_LIMIT_MS, whileWatched } from './support/healing.js';
import type { Member } from './support/member.js';
import { Register } from './support/register.js';
import { allRight, allTold, relayOf, relayStateOf, waitingRows } from './support/relaying.js';
import { relayStep } from './support/steps.js';

interface Step {
  readonly when: string;
  readonly hold: (relay: Member) => Hold;
  /** What others answer at this step from their cache; `bypass`: nothing, the database is asked. */
  readonly others: 'hit of the old' | 'bypass' | 'the new';
}

const steps: readonly Step[] = [
  { when: 'before it replaces versions', hold: relayStep.begin, others: 'hit of the old' },
  { when: 'while it replaces versions', hold: relayStep.end, others: 'bypass' },
  { when: 'before it empties the outbox', hold: relayStep.remove, others: 'the new' },
];

describe('the relay', () => {
  let cluster: FaultCluster;

  useFaultCluster((started) => {
    cluster = started;
  });

  /** Somebody writes, and the relay does not get further than the step. */
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
    'killed $when is replaced by another, which tells it',
    async (step) => {
      const register = await Register.create(cluster);
      await whileWatched(cluster, register, async (watch) => {
        const { relay, held } = await writeUntil(step, register);
        await relay.kill();
        held.drop();
        expect(await relayOf(cluster)).not.toBe(relay);
        await allTold(cluster);
        await allRight(cluster, [register]);
        await expectReads(cluster, watch);
        await register.writeOutside();
      });
      expect(await register.stored()).toBe(2);
    },
    TEST_MS,
  );

  it.each(representatives(steps, 2))(
    'stopped $when is dismissed, and takes part again when it goes on',
    async (step) => {
      const register = await Register.create(cluster);
      await whileWatched(cluster, register, async (watch) => {
        const { relay, held } = await writeUntil(step, register);
        relay.pause();
        expect(await relayOf(cluster)).not.toBe(relay);
        await allTold(cluster);
        await allRight(cluster, [register]);
        await register.writeOutside();
        await expectReads(cluster, watch);

        // What it was about to say arrives when all of it has been said, and more.
        relay.resume();
        held.letGo();
        await eventually(
          async () => expect(await relayStateOf(relay)).toBe('standby'),
          HEALING_LIMIT_MS,
        );
        await register.writeOutside();
      });
      expect(await register.stored()).toBe(3);
    },
    TEST_MS,
  );
});
