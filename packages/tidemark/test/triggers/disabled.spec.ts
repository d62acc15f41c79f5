/** Another client disables triggers: notices of the service's writes are not trusted to be complete. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../../../test/support/eventually.js';
import { Account, accounts, allOf, everyAnswer, type AccountAnswer } from './fixtures/accounts.js';
import { Scene, sql, type Write } from './scene.js';

const ENABLED = ['insert', 'update', 'delete', 'truncate']
  .map((event) => `ENABLE ALWAYS TRIGGER tidemark_tidemark_${event}`)
  .join(', ');

let scene: Scene<AccountAnswer>;

/** Only the client that disabled the triggers enables them here. */
beforeAll(async () => {
  const schema = `${accounts.schema};
    CREATE FUNCTION pay(integer) RETURNS integer LANGUAGE sql VOLATILE
      AS 'UPDATE accounts SET balance = 6 WHERE id = $1 RETURNING id'`;
  scene = await Scene.open({ ...accounts, schema }, { triggers: 'check' });
});
afterAll(() => scene.close());

beforeEach(() => scene.prepare());
afterEach(async () => {
  await alter(ENABLED);
  await alter(ENABLED, 'payments');
  await scene.check();
  if (scene.health.status !== 'up') throw new Error(scene.health.detail);
});

const alter = (action: string, table = 'accounts'): Promise<unknown> =>
  scene.otherClient.query(`ALTER TABLE ${table} ${action}`);

const UPDATE = 'UPDATE accounts SET balance = 5 WHERE id = 1';
const OFF = {
  'the trigger of updates': 'DISABLE TRIGGER tidemark_tidemark_update',
  'the triggers of users': 'DISABLE TRIGGER USER',
  'all triggers': 'DISABLE TRIGGER ALL',
};

describe('the first write to a table whose triggers are disabled counts as a write to everything', () => {
  const rows: readonly { how: string; off: keyof typeof OFF; write: Write }[] = [
    { how: 'an update in SQL', off: 'the trigger of updates', write: sql(UPDATE) },
    {
      how: 'an update with RETURNING',
      off: 'the triggers of users',
      write: sql(`${UPDATE} RETURNING id, region`),
    },
    {
      how: 'an entity that is saved',
      off: 'the triggers of users',
      write: ({ source }) => source.manager.save(Account, { id: 1, region: 'EU', balance: 5 }),
    },
    {
      how: 'an entity that is inserted',
      off: 'all triggers',
      write: ({ source }) => source.manager.insert(Account, { id: 9, region: 'US' }),
    },
    {
      how: 'a delete by criteria',
      off: 'all triggers',
      write: ({ source }) => source.manager.delete(Account, { region: 'EU' }),
    },
    {
      how: 'an upsert that updates',
      off: 'the trigger of updates',
      write: ({ source }) =>
        source.manager.upsert(Account, { id: 1, region: 'EU', balance: 5 }, ['id']),
    },
    {
      how: 'a transaction',
      off: 'all triggers',
      write: ({ source }) =>
        source.transaction(async (manager) => {
          await manager.query('UPDATE payments SET account = 2 WHERE id = 11');
          await manager.query(UPDATE);
        }),
    },
    {
      how: 'a savepoint that is released',
      off: 'the trigger of updates',
      write: ({ source }) =>
        source.transaction((manager) =>
          manager.transaction((inner) => inner.update(Account, { id: 1 }, { balance: 5 })),
        ),
    },
    {
      how: 'a function that writes',
      off: 'the trigger of updates',
      write: sql('SELECT pay(1)'),
    },
    {
      how: 'a prepared statement',
      off: 'all triggers',
      write: ({ source }) =>
        source.transaction(async (manager) => {
          await manager.query(`PREPARE pays AS ${UPDATE}`);
          await manager.query('EXECUTE pays');
          await manager.query('DEALLOCATE pays');
        }),
    },
    {
      how: 'one of several statements in one text',
      off: 'all triggers',
      write: sql(`UPDATE payments SET account = 2 WHERE id = 11; ${UPDATE}`),
    },
  ];

  it.each(rows)('$how, without $off', async ({ off, write }) => {
    await alter(OFF[off]);
    expect(await scene.endedBy(write)).toEqual(everyAnswer);
    await eventually(() =>
      expect(scene.health).toEqual({
        status: 'degraded',
        detail: expect.stringContaining('public.accounts'),
      }),
    );
    // The next one as well, by whatever is known by now.
    const ended = await scene.endedBy(sql(`INSERT INTO accounts VALUES (77, 'APAC')`));
    expect(ended).toEqual(expect.arrayContaining(['accounts', 'accounts APAC']));
    await scene.expectTruth();
  });

  it('a TRUNCATE, which reports no row count, ends all answers of its table', async () => {
    await alter(OFF['all triggers']);
    const ended = await scene.endedBy(sql('TRUNCATE accounts'));
    expect(ended).toEqual(expect.arrayContaining(allOf('account')));
    await scene.expectTruth();
  });

  it('a write that found no row ends nothing', async () => {
    await alter(OFF['all triggers']);
    const ended = await scene.endedBy(async ({ source }) => {
      await source.query('UPDATE accounts SET balance = 5 WHERE id = 999');
      await source.manager.delete(Account, { id: 999 });
    });
    expect(ended).toEqual([]);
  });

  it('a write that is rolled back ends nothing', async () => {
    await alter(OFF['all triggers']);
    const ended = await scene.endedBy(({ source }) =>
      source
        .transaction(async (manager) => {
          await manager.query(UPDATE);
          throw new Error('undone');
        })
        .catch(() => undefined),
    );
    expect(ended).toEqual([]);
  });
});

describe('with only the update trigger disabled', () => {
  beforeEach(() => alter(OFF['the trigger of updates']));

  it('inserts and deletes stay exact, and the first update counts as everything', async () => {
    expect(await scene.endedBy(sql(`INSERT INTO accounts VALUES (8, 'US')`))).toEqual([
      'accounts',
      'accounts US',
    ]);
    expect(await scene.endedBy(sql('DELETE FROM accounts WHERE id = 2'))).toEqual([
      'accounts',
      'accounts EU',
      'account 2',
    ]);
    expect(await scene.endedBy(sql(UPDATE))).toEqual(everyAnswer);
    await scene.expectTruth();
  });

  it('an upsert that inserts a row and updates another is seen when the relay notices the change', async () => {
    await scene.app.source.query(`INSERT INTO accounts VALUES (1, 'US', 99), (8, 'APAC', 1)
      ON CONFLICT (id) DO UPDATE SET balance = EXCLUDED.balance`);
    await scene.check();
    await scene.expectTruth();
  });

  it('a statement that also updates the row leaves no stale answer', async () => {
    await scene.endedBy(
      sql(`WITH u AS (${UPDATE} RETURNING id) INSERT INTO payments SELECT 99, 'US', id FROM u`),
    );
    await scene.expectTruth();
  });
});

it('writes to other tables stay exact meanwhile', async () => {
  await alter(OFF['all triggers']);
  expect(await scene.endedBy(sql('UPDATE payments SET account = 2 WHERE id = 11'))).toEqual([
    'payments',
    'payments US',
    'payment 11',
  ]);
});

it('triggers that fire only in ordinary sessions report all there: health names the table, writes are exact', async () => {
  await alter(ENABLED.replaceAll('ENABLE ALWAYS', 'ENABLE'));
  await scene.check();
  expect(scene.health).toMatchObject({ detail: expect.stringContaining('public.accounts') });
  const ended = await scene.endedBy(sql(UPDATE));
  expect(ended).toEqual(expect.arrayContaining(['accounts', 'accounts US', 'account 1']));
  expect(ended.filter((name) => !allOf('account').includes(name))).toEqual([]);
});
