/** A role that owns no table: tables without triggers count as a whole until their owner has run the SQL. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Logger } from '@nestjs/common';
import { eventually } from '../../../../test/support/eventually.js';
import { Account, accounts, allOf, Payment, type AccountAnswer } from './fixtures/accounts.js';
import { Scene, sql, type Write } from './scene.js';

const ROLE = `tenant_${process.pid}_${Date.now()}`;
const TABLES = ['public.accounts', 'public.payments', 'public.bystanders'];
const spies = (['warn', 'log'] as const).map((level) =>
  vi.spyOn(Logger.prototype, level).mockReturnValue(undefined),
);
const lines = (): string[] =>
  spies.flatMap(({ mock }) => mock.calls.map(([line]: readonly unknown[]) => String(line)));

let scene: Scene<AccountAnswer>;

beforeAll(async () => {
  scene = await Scene.open(
    {
      ...accounts,
      schema: `${accounts.schema};
        ALTER TABLE payments ADD FOREIGN KEY (account) REFERENCES accounts
          ON DELETE CASCADE DEFERRABLE;
        CREATE FUNCTION pay(integer) RETURNS integer LANGUAGE sql VOLATILE
          AS 'UPDATE payments SET account = $1 WHERE id = 11 RETURNING account'`,
    },
    {
      areInstalled: false,
      relays: true,
      role: ROLE,
      before: (otherClient) =>
        otherClient.query(`CREATE ROLE ${ROLE} LOGIN;
          GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA public TO ${ROLE}`),
    },
  );
});
afterAll(async () => {
  await scene.app.stop();
  await scene.otherClient.query(`DROP OWNED BY ${ROLE}; DROP ROLE ${ROLE}`);
  await scene.close();
  for (const spy of spies) spy.mockRestore();
});
beforeEach(() => scene.prepare());

/** Runs first: the rows below change it. */
describe('without triggers', () => {
  it('the log and health name the missing triggers once, with the SQL', () => {
    const [line, ...others] = lines().filter((text) => text.includes('run this:'));
    expect(others).toEqual([]);
    for (const table of TABLES) expect(line).toContain(table);
    expect(scene.health).toMatchObject({
      status: 'degraded',
      detail: expect.stringMatching(/public\.accounts/),
    });
  });

  it.each<{ what: string; write: Write; ends: readonly AccountAnswer[] }>([
    {
      what: 'an update by key',
      write: ({ source }) => source.manager.update(Payment, { id: 11 }, { account: 2 }),
      ends: allOf('payment'),
    },
    {
      what: 'an entity that is saved',
      write: ({ source }) => source.manager.save(Payment, { id: 11, region: 'EU', account: 2 }),
      ends: allOf('payment'),
    },
    {
      what: 'an insert in a transaction, with a savepoint undone',
      write: ({ source }) =>
        source.transaction(async (manager) => {
          await manager.insert(Payment, { id: 15, region: 'US' });
          await manager
            .transaction(async (inner) => {
              await inner.query('UPDATE accounts SET balance = 0');
              throw new Error('undone');
            })
            .catch(() => undefined);
        }),
      ends: allOf('payment'),
    },
    {
      what: 'a write that finds no row',
      write: sql(`UPDATE payments SET account = 2 WHERE id = 999`),
      ends: [],
    },
    {
      what: 'a delete that cascades',
      write: ({ source }) => source.manager.delete(Account, { id: 1 }),
      ends: [...allOf('account'), ...allOf('payment')],
    },
    { what: 'a function that writes', write: sql('SELECT pay(2)'), ends: allOf('payment') },
    {
      what: 'a WITH',
      write: sql(
        `WITH a AS (UPDATE accounts SET balance = 1 WHERE id = 1) DELETE FROM payments WHERE id = 12`,
      ),
      ends: [...allOf('account'), ...allOf('payment')],
    },
    { what: 'a DO', write: sql('DO $$ BEGIN PERFORM pay(2); END $$'), ends: allOf('payment') },
  ])('$what counts for whole tables, and no answer is stale', async ({ write, ends }) => {
    const ended = await scene.endedBy(write);
    expect(ended).toEqual(expect.arrayContaining([...ends]));
    if (ends.length === 0) expect(ended).toEqual([]);
    await scene.expectTruth();
  });

  it('an update leaves the answers of other tables', async () => {
    const ended = await scene.endedBy(sql('UPDATE payments SET account = 2 WHERE id = 11'));
    expect(ended).toEqual(allOf('payment'));
  });
});

it('the log reports the cost once for each table', () => {
  for (const table of TABLES.slice(0, 2)) {
    expect(
      lines().filter((line) => line.startsWith(`Table ${table} has no triggers`)),
    ).toHaveLength(1);
  }
});

describe('with the triggers that the owner has created from the SQL in the log', () => {
  beforeAll(async () => {
    const line = lines().find((text) => text.includes('public.accounts')) ?? '';
    await scene.otherClient.query(line.split('run this:\n')[1] ?? '');
  });

  it('writes are exact without a restart, and health is up', async () => {
    await eventually(() => expect(scene.health).toEqual({ status: 'up' }));
    await eventually(async () => {
      const ended = await scene.endedBy(sql('UPDATE payments SET account = 2 WHERE id = 11'));
      expect(ended).toEqual(['payments', 'payments US', 'payment 11']);
    });
    // The relay takes new triggers for a gap in the outbox, and ends all answers once, a moment later.
    await eventually(async () => {
      await scene.prepare();
      const ended = await scene.endedBy(({ source }) => source.manager.delete(Account, { id: 3 }));
      expect(ended).toEqual(['accounts', 'accounts APAC', 'payments', 'payments APAC']);
    });
    await scene.expectTruth();
  });

  it('writes of another client are seen, and end only the answers that they change', async () => {
    await scene.otherClient.query('UPDATE accounts SET balance = 99 WHERE id = 2');
    await eventually(() => scene.expectTruth());
  });
});
