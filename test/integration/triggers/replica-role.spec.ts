/** `session_replication_role = replica` switches triggers and foreign keys off, and not the triggers of the cache. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { Account, accounts, type AccountAnswer, everyAnswer } from './fixtures/accounts.js';
import { Scene } from './scene.js';

const REPLICA = 'SET session_replication_role = replica';
const UPDATE = `UPDATE accounts SET region = 'APAC' WHERE id = 1`;
const MOVED: readonly AccountAnswer[] = ['accounts', 'accounts US', 'accounts APAC', 'account 1'];

describe('in a session of the service', () => {
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

  it('triggers that fire in usual sessions alone are missed there: a write counts as everything', async () => {
    const events = ['insert', 'update', 'delete', 'truncate'];
    const enable = (word: string) =>
      scene.stranger.query(
        `ALTER TABLE accounts ${events.map((e) => `${word} TRIGGER tidemark_tidemark_${e}`).join(', ')}`,
      );
    await enable('ENABLE');
    try {
      expect(await scene.endedBy(() => over([REPLICA, UPDATE]))).toEqual(everyAnswer);
      await scene.expectTruth();
    } finally {
      await enable('ENABLE ALWAYS');
      await scene.look();
    }
  });
});

it("writes of a stranger's session are relayed", async () => {
  const scene = await Scene.open(accounts, { relays: true });
  try {
    await scene.prepare();
    const runner = scene.stranger.createQueryRunner();
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
