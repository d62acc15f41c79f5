/**
 * Settings of a session: `session_replication_role = replica` disables triggers, but not those of the cache; a session
 * without the setting by which the triggers recognise it gets no more notices.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../../../test/support/eventually.js';
import { Account, accounts, type AccountAnswer, everyAnswer } from './fixtures/accounts.js';
import { Scene } from './scene.js';

const REPLICA = 'SET session_replication_role = replica';
const UPDATE = `UPDATE accounts SET region = 'APAC' WHERE id = 1`;
const MOVED: readonly AccountAnswer[] = ['accounts', 'accounts US', 'accounts APAC', 'account 1'];

describe('in a session of the service that is a replica', () => {
  let scene: Scene<AccountAnswer>;
  beforeAll(async () => {
    scene = await Scene.open(accounts, { triggers: 'check' });
  });
  afterAll(() => scene.close());
  beforeEach(() => scene.prepare());

  async function over(statements: readonly string[]): Promise<void> {
    const runner = scene.app.source.createQueryRunner();
    try {
      for (const sql of statements) await runner.query(sql);
    } finally {
      await runner.query('RESET session_replication_role').catch(() => undefined);
      await runner.release();
    }
  }

  it.each([
    { how: 'of the session', statements: [REPLICA, UPDATE] },
    {
      how: 'of one transaction',
      statements: ['BEGIN', REPLICA.replace('SET', 'SET LOCAL'), UPDATE, 'COMMIT'],
    },
    {
      how: 'of one transaction that is rolled back',
      statements: ['BEGIN', REPLICA, UPDATE, 'ROLLBACK'],
    },
  ])('writes stay exact: $how', async ({ statements }) => {
    const ends = statements.includes('ROLLBACK') ? [] : MOVED;
    const ended = await scene.endedBy(() => over(statements));
    expect(ended.toSorted()).toEqual(ends.toSorted());
    await scene.expectTruth();
  });

  it('triggers that fire only in ordinary sessions are silent there: a write counts as a write to everything', async () => {
    const events = ['insert', 'update', 'delete', 'truncate'];
    const enable = (word: string) =>
      scene.otherClient.query(
        `ALTER TABLE accounts ${events.map((e) => `${word} TRIGGER tidemark_tidemark_${e}`).join(', ')}`,
      );
    await enable('ENABLE');
    try {
      expect(await scene.endedBy(() => over([REPLICA, UPDATE]))).toEqual(everyAnswer);
      await scene.expectTruth();
    } finally {
      await enable('ENABLE ALWAYS');
      await scene.check();
    }
  });
});

describe('in a session of the service that has lost its settings', () => {
  let scene: Scene<AccountAnswer>;
  beforeAll(async () => {
    scene = await Scene.open(accounts);
  });
  afterAll(() => scene.close());
  beforeEach(() => scene.prepare());

  it.each([
    { how: 'RESET ALL', statements: ['RESET ALL', UPDATE] },
    { how: 'DISCARD ALL', statements: ['DISCARD ALL', UPDATE] },
    { how: 'RESET in the transaction', statements: ['BEGIN', 'RESET ALL', UPDATE, 'COMMIT'] },
    {
      how: 'SET LOCAL',
      statements: ['BEGIN', `SET LOCAL tidemark.publishes = ''`, UPDATE, 'COMMIT'],
    },
    { how: 'a function', statements: ['RESET ALL', 'SELECT moves()'] },
    {
      how: 'an unknown savepoint',
      statements: ['BEGIN', 'SAVEPOINT a', 'RESET ALL', UPDATE, 'COMMIT'],
    },
  ])('no write is missed, and they are exact afterwards: $how', async ({ statements }) => {
    await scene.app.source.query(`CREATE OR REPLACE FUNCTION moves() RETURNS void LANGUAGE sql
      AS $$ ${UPDATE} $$`);
    expect(await scene.endedBy(() => scene.over(...statements))).toEqual(
      expect.arrayContaining([...MOVED]),
    );
    await scene.expectTruth();
    const next = async () =>
      scene.endedBy(() => scene.over('UPDATE accounts SET balance = balance + 1 WHERE id = 2'));
    await eventually(async () =>
      expect(await next()).toEqual(['accounts', 'accounts EU', 'account 2']),
    );
    expect(scene.health).toEqual({ status: 'up' });
  });

  it('a write that is rolled back, or finds no row, ends nothing', async () => {
    const ended = await scene.endedBy(async () => {
      await scene.over('BEGIN', 'RESET ALL', UPDATE, 'ROLLBACK');
      await scene.over('RESET ALL', 'UPDATE accounts SET balance = 1 WHERE id = 999');
    });
    expect(ended).toEqual([]);
  });

  it('a session that suppresses notices still gets them', async () => {
    const ended = await scene.endedBy(() =>
      scene.over('SET client_min_messages = error', UPDATE, 'RESET client_min_messages'),
    );
    expect(ended.toSorted()).toEqual(MOVED.toSorted());
  });

  it('a role that may not see the outbox still gets notices', async () => {
    const role = `writer_${process.pid}_${Date.now()}`;
    await scene.otherClient.query(
      `CREATE ROLE ${role}; GRANT SELECT, UPDATE ON accounts TO ${role}`,
    );
    try {
      const ended = await scene.endedBy(() =>
        scene.over('BEGIN', `SET LOCAL ROLE ${role}`, UPDATE, 'COMMIT'),
      );
      expect(ended.toSorted()).toEqual(MOVED.toSorted());
    } finally {
      await scene.otherClient.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
  });
});

it("writes of another client's session are relayed", async () => {
  const scene = await Scene.open(accounts, { relays: true });
  try {
    await scene.prepare();
    const runner = scene.otherClient.createQueryRunner();
    await runner.query(REPLICA);
    await runner.manager.query(UPDATE);
    await eventually(() => scene.expectTruth());
    await runner.query(`UPDATE payments SET region = 'US'; DELETE FROM accounts WHERE id = 2`);
    await runner.release();
    await eventually(() => scene.expectTruth());
    expect(await scene.app.source.manager.countBy(Account, { region: 'EU' })).toBe(0);
  } finally {
    await scene.close();
  }
});
