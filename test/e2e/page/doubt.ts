/** What is in doubt, and what an operator does from the page. */
import { describe, expect, it } from 'vitest';
import { waitingCommit, whileCommitsWait } from '../../faults/support/commit-wait.js';
import { OUTBOX } from '../../faults/support/outbox.js';
import { eventually } from '../../support/eventually.js';
import { mainText, rowsOf, showView } from '../support/page-views.js';
import { listOf, type PageStage } from './page-stage.js';

export function describeDoubtAndControl(stage: PageStage): void {
  describe('doubt', () => {
    it('shows the mark of a write whose COMMIT waits, with its backend, until it has ended', async () => {
      const user = await stage.createUser();
      await whileCommitsWait(stage.cluster, async (decide) => {
        const write = stage.cluster.instances[1].patch(`/users/${user.id}`, {
          username: 'in-doubt',
        });
        const backend = await waitingCommit(stage.cluster);
        await showView(stage.page, '#/doubt', 'Doubt');
        await eventually(async () => {
          const marks = await rowsOf(stage.page, 'Marks');
          expect(marks.map(({ Table, Holder }) => [Table, Holder])).toEqual([
            ['public.users', `PostgreSQL backend ${backend}`],
          ]);
        });
        await decide('commit');
        expect((await write).status).toBe(200);
        await stage.page.getByText('No write is under way.').waitFor();
      });
      const triggers = await rowsOf(stage.page, 'Triggers');
      expect(triggers.map(({ Table, State }) => [Table, State])).toEqual([
        ['public.users', 'installed'],
      ]);
    });

    it('shows writes from outside that the relay cannot finish, and what to do', async () => {
      const user = await stage.createUser();
      await showView(stage.page, '#/doubt', 'Doubt');
      await stage.cluster.session(async (locker) => {
        await stage.cluster.session(async (writer) => {
          await writer.query('BEGIN');
          await writer.query('UPDATE users SET email = $2 WHERE id = $1', [
            user.id,
            'w@example.com',
          ]);
          await locker.query('BEGIN');
          // Waits for the writer and comes before the relay, which can then read rows but not remove them.
          const locked = locker.query(`LOCK TABLE ${OUTBOX} IN SHARE ROW EXCLUSIVE MODE`);
          await eventually(async () => {
            const waiting = await stage.cluster.sql('SELECT FROM pg_locks WHERE NOT granted');
            expect(waiting).toHaveLength(1);
          });
          await writer.query('COMMIT');
          await locked;
        });
        await eventually(async () => {
          const backlogs = (await rowsOf(stage.page, 'Relay')).map((row) => row['Backlog']);
          expect(backlogs).toContain('1 row');
          expect(await mainText(stage.page)).toContain(
            'Writes from outside the service are seen late',
          );
        });
        await locker.query('COMMIT');
      });
      await eventually(async () => {
        const rows = await rowsOf(stage.page, 'Relay');
        expect(rows.map((row) => row['Backlog'])).toEqual(Array(3).fill('0 rows'));
        expect(await mainText(stage.page)).toContain('No instance reports a problem.');
      });
    });
  });

  describe('control', () => {
    it('ends the answers of a table: the next read is a miss that runs the query', async () => {
      const user = await stage.createUser();
      const [instance] = stage.cluster.instances;
      const list = `${listOf(user)}&limit=78`;
      const runs = () =>
        stage.cluster.postgres.log.split('\n').filter((line) => /SELECT .* LIMIT 78\b/.test(line))
          .length;
      expect((await instance.settled(list)).cache).toBe('miss');
      expect((await instance.get(list)).cache).toBe('hit');
      // The fill, and the audit of the hit.
      await eventually(() => expect(runs()).toBe(2));

      await showView(stage.page, '#/control', 'Control');
      await stage.page.getByRole('combobox', { name: 'Table' }).fill('public.users');
      await stage.page.getByRole('button', { name: 'Invalidate…' }).click();
      await stage.page.getByRole('button', { name: 'End the answers' }).click();
      await stage.page
        .getByText('The answers of public.users have ended on every instance.')
        .waitFor();
      expect((await instance.get(list)).headers['cache-status']).toBe('tidemark; fwd=miss; stored');
      await eventually(() => expect(runs()).toBe(3));
    });

    it('switches shadow mode on and off on all three instances', async () => {
      const list = listOf(await stage.createUser());
      const statuses = (): Promise<readonly (string | undefined)[]> =>
        Promise.all(
          stage.cluster.instances.map(
            async (instance) => (await instance.get(list)).headers['cache-status'],
          ),
        );
      await showView(stage.page, '#/control', 'Control');
      const switchTo = async (state: 'on' | 'off'): Promise<void> => {
        await stage.page.getByRole('button', { name: `Switch shadow mode ${state}…` }).click();
        await stage.page
          .getByRole('button', { name: `Switch shadow mode ${state}`, exact: true })
          .click();
        await stage.page.getByRole('alertdialog').waitFor({ state: 'detached' });
      };
      await switchTo('on');
      await eventually(async () => {
        expect(await statuses()).toEqual(Array(3).fill('tidemark; fwd=bypass; detail=shadow'));
      });
      await switchTo('off');
      await eventually(async () => {
        for (const status of await statuses()) expect(status).toMatch(/^tidemark; hit; /);
      });
    });
  });
}
