import { describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.js';
import { representatives } from '../../support/long-tests.js';
import type { Hold } from '../../support/tcp-link.js';
import type { FaultCluster } from '../support/fault-cluster.js';
import type { UseCluster } from '../support/fault-tests.js';
import { whileWatched, underWatch } from '../support/healing.js';
import type { Member } from '../support/member.js';
import { Register } from '../support/register.js';
import { fillStep } from '../support/steps.js';

interface Step {
  readonly when: string;
  readonly hold: (reader: Member) => Hold;
  /** The number in the answer that the reader gives when it goes on after a write. */
  readonly answersLate: number;
}

const steps: readonly Step[] = [
  { when: 'before its SELECT', hold: fillStep.select, answersLate: 1 },
  {
    when: 'after its SELECT',
    hold: fillStep.selected,
    answersLate: 0,
  },
  { when: 'before it stores', hold: fillStep.store, answersLate: 0 },
];

export function readerStopped(useCluster: UseCluster): void {
  describe('a reader stopped in the middle of a fill', () => {
    let cluster: FaultCluster;
    let reader: Member;
    let writer: Member;
    let newcomer: Member;

    useCluster((started) => {
      cluster = started;
      [reader, writer, newcomer] = started.members;
    });

    it.each(representatives(steps, 1))(
      '$when delays no other reader, and stores nothing that is served later',
      async ({ hold, answersLate }) => {
        const register = await Register.create(cluster);
        // A list that was never read; the proxy lets the reader's other fills pass.
        const { evenList } = register;
        const view = { ...evenList, path: `${evenList.path}&limit=77` };
        await whileWatched(cluster, register, async () => {
          // The text of the query is known by now: no other statement with it is sent.
          await reader.get('/users?region=NOBODY&limit=77');
          const held = hold(reader);
          const reading = reader.get(view.path);
          await held.reached();
          reader.pause();
          // It holds the lock of the fill. Once the lease has run out, another one fills.
          expect(view.shows(await writer.get(view.path), 0)).toBe(true);

          expect((await register.write(writer)).status).toBe(200);
          expect(view.shows(await writer.get(view.path), 1)).toBe(true);
          await writer.instance.warm(view.path);

          held.letGo();
          reader.resume();
          const late = await reading;
          expect(late.cache).toBe('miss');
          expect(view.shows(late, answersLate)).toBe(true);
          // Its entry is the last one stored: an instance without an entry in memory finds it.
          await eventually(async () => expect(await heldLocks()).toBe(0));
          for (const member of [newcomer, reader, writer]) {
            expect(view.shows(await member.get(view.path), 1)).toBe(true);
            expect(view.shows(await member.instance.warm(view.path), 1)).toBe(true);
          }
        });
      },
    );

    it('and killed is replaced by another', async () => {
      await underWatch(cluster, async (register) => {
        const list = `${register.evenList.path}&limit=78`;
        const held = fillStep.selected(reader);
        const reading = reader.get(list).catch(() => 'cut off');
        await held.reached();
        await reader.kill();
        await reading;
        await writer.instance.warm(list);
        await newcomer.instance.warm(list);
      });
    });

    it('whose connection is cut runs the fill once more', async () => {
      await underWatch(cluster, async (register) => {
        const path = `${register.evenList.path}&limit=77`;
        const held = fillStep.selected(reader);
        const reading = reader.get(path);
        await held.reached();
        held.drop();
        expect((await reading).status).toBe(200);
        for (const member of cluster.members) await member.instance.warm(path);
      });
    });

    async function heldLocks(): Promise<number> {
      return (await cluster.keys('tidemark:f:*')).length;
    }
  });
}
