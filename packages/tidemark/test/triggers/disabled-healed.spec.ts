/** Disabled triggers are enabled again, by the client that disabled them or by the application; without a restart. */
import { afterEach, expect, it } from 'vitest';
import { eventually } from '../../../../test/support/eventually.js';
import { Account, accounts, allOf, type AccountAnswer } from './fixtures/accounts.js';
import { Scene, type SceneOptions } from './scene.js';

let scene: Scene<AccountAnswer>;

afterEach(() => scene.close());

async function open(triggers: SceneOptions['triggers']): Promise<void> {
  scene = await Scene.open(accounts, { triggers, relays: true });
  await scene.prepare();
}

const alter = (action: string): Promise<unknown> =>
  scene.otherClient.query(`ALTER TABLE accounts ${action}`);

const write = (): Promise<AccountAnswer[]> =>
  scene.endedBy(({ source }) => source.manager.increment(Account, { id: 1 }, 'balance', 1));

async function expectExact(): Promise<void> {
  // The last noticed change may still end all answers once.
  await eventually(async () =>
    expect(await write()).toEqual(['accounts', 'accounts US', 'account 1']),
  );
}

it('by the application, where it may install them', async () => {
  await open('install');
  for (const what of ['USER', 'ALL', 'tidemark_tidemark_update']) {
    await alter(`DISABLE TRIGGER ${what}`);
    await write();
    await eventually(() => expect(scene.health).toEqual({ status: 'up' }));
    await eventually(async () => {
      const [row] = await scene.otherClient.query<{ enabled: string }[]>(
        `SELECT string_agg(DISTINCT tgenabled::text, '') AS enabled FROM pg_trigger
          WHERE tgrelid = 'accounts'::regclass AND tgname LIKE 'tidemark%'`,
      );
      expect(row).toEqual({ enabled: 'A' });
    });
    await expectExact();
  }
});

it('by the client that has disabled them, under `check`', async () => {
  await open('check');
  await alter('DISABLE TRIGGER ALL');
  // Of everything, unless the relay has noticed before.
  expect(await write()).toEqual(expect.arrayContaining(allOf('account')));
  const degraded = { status: 'degraded', detail: expect.stringContaining('public.accounts') };
  await eventually(() => expect(scene.health).toEqual(degraded));
  await scene.expectTruth();
  await write();
  await scene.expectTruth();
  const { detail = '' } = scene.health as { detail?: string };
  await scene.otherClient.query(/ALTER TABLE [^;]+/.exec(detail)?.[0] ?? '');
  await eventually(() => expect(scene.health).toEqual({ status: 'up' }));
  await expectExact();
});

it('also where another client, and a foreign key, have written rows meanwhile', async () => {
  await open('check');
  await scene.app.source.query(
    'ALTER TABLE payments ADD FOREIGN KEY (account) REFERENCES accounts ON DELETE CASCADE',
  );
  await scene.check();
  await scene.warm();
  await scene.otherClient.query('ALTER TABLE payments DISABLE TRIGGER tidemark_tidemark_delete');
  await scene.app.source.manager.delete(Account, { id: 1 });
  await scene.otherClient.query('DELETE FROM payments WHERE id = 12');
  await eventually(() => scene.expectTruth());
  await eventually(() =>
    expect(scene.health).toMatchObject({ detail: expect.stringContaining('public.payments') }),
  );
});
