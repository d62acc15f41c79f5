/** Notices belong to the savepoint that is open: they are dropped and kept with it. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { EntityManager, QueryRunner } from 'typeorm';
import { Account, accounts, Payment, type AccountAnswer } from './fixtures/accounts.js';
import { Scene } from './scene.js';

const US: readonly AccountAnswer[] = ['accounts', 'accounts US', 'account 1'];
const EU: readonly AccountAnswer[] = ['accounts', 'accounts EU', 'account 2'];
const APAC: readonly AccountAnswer[] = ['accounts', 'accounts APAC'];

let scene: Scene<AccountAnswer>;

beforeAll(async () => {
  scene = await Scene.open(accounts);
});
afterAll(() => scene.close());
beforeEach(() => scene.prepare());

const pay = (id: number): string => `UPDATE accounts SET balance = balance + 1 WHERE id = ${id}`;

async function sendAll(runner: QueryRunner, statements: readonly string[]): Promise<void> {
  for (const sql of statements) await runner.query(sql);
}

/** Sends the statements in one transaction over one connection. */
async function send(...statements: readonly string[]): Promise<void> {
  const runner = scene.app.source.createQueryRunner();
  try {
    await runner.startTransaction();
    await sendAll(runner, statements);
    await runner.commitTransaction();
  } finally {
    await runner.release();
  }
}

const thrown = (work: Promise<unknown>): Promise<void> =>
  work.then(
    () => undefined,
    () => undefined,
  );

async function expectEnded(
  write: () => Promise<unknown>,
  ...parts: readonly (readonly AccountAnswer[])[]
): Promise<void> {
  const wanted = new Set(parts.flat());
  expect(await scene.endedBy(write)).toEqual(scene.names.filter((name) => wanted.has(name)));
}

describe('statements in savepoints by hand', () => {
  it.each([
    { what: 'rolled back: nothing', sql: ['SAVEPOINT a', pay(1), 'ROLLBACK TO a'], ends: [] },
    {
      what: 'released: its rows',
      sql: ['SAVEPOINT a', pay(1), 'RELEASE a'],
      ends: [US],
    },
    {
      what: 'left open: its rows',
      sql: ['SAVEPOINT a', pay(1)],
      ends: [US],
    },
    {
      what: 'rolled back, then written again under the same savepoint',
      sql: ['SAVEPOINT a', pay(1), 'ROLLBACK TO a', pay(2)],
      ends: [EU],
    },
    {
      what: 'inner released, outer rolled back: nothing of either',
      sql: [pay(3), 'SAVEPOINT a', pay(1), 'SAVEPOINT b', pay(2), 'RELEASE b', 'ROLLBACK TO a'],
      ends: [APAC],
    },
    {
      what: 'inner rolled back, outer released',
      sql: ['SAVEPOINT a', pay(1), 'SAVEPOINT b', pay(2), 'ROLLBACK TO b', 'RELEASE a'],
      ends: [US],
    },
    {
      what: 'outer rolled back with an inner one still open',
      sql: [pay(3), 'SAVEPOINT a', pay(1), 'SAVEPOINT b', pay(2), 'ROLLBACK TO a'],
      ends: [APAC],
    },
    {
      what: 'one name twice: ROLLBACK TO means the later',
      sql: ['SAVEPOINT a', pay(1), 'SAVEPOINT a', pay(2), 'ROLLBACK TO a'],
      ends: [US],
    },
    {
      what: 'one name twice: after RELEASE it means the earlier',
      sql: [
        pay(3),
        'SAVEPOINT a',
        pay(1),
        'SAVEPOINT a',
        pay(2),
        'RELEASE SAVEPOINT a',
        'ROLLBACK TO SAVEPOINT a',
      ],
      ends: [APAC],
    },
    {
      what: 'quoted and folded names',
      sql: ['SAVEPOINT "A"', pay(1), 'savepoint A', pay(2), 'ROLLBACK TO SAVEPOINT a'],
      ends: [US],
    },
    {
      what: 'written under a savepoint and again outside of it',
      sql: ['SAVEPOINT a', pay(1), 'ROLLBACK TO a', 'RELEASE a', pay(1)],
      ends: [US],
    },
  ])('$what', ({ sql, ends }) => expectEnded(() => send(...sql), ...ends));

  it('a failed statement is undone to its savepoint, and the rest counts', () =>
    expectEnded(
      async () => {
        const runner = scene.app.source.createQueryRunner();
        try {
          await runner.startTransaction();
          await sendAll(runner, [pay(1), 'SAVEPOINT a', pay(2)]);
          await thrown(runner.query('INSERT INTO accounts VALUES (3)'));
          await sendAll(runner, ['ROLLBACK TO a', pay(3)]);
          await runner.commitTransaction();
        } finally {
          await runner.release();
        }
      },
      US,
      APAC,
    ));

  it('a statement that fails after the notices of its triggers ends nothing', () =>
    expectEnded(async () => {
      const runner = scene.app.source.createQueryRunner();
      try {
        await runner.startTransaction();
        await sendAll(runner, ['SAVEPOINT a']);
        await thrown(
          runner.query(`WITH paid AS (${pay(1)} RETURNING 1) SELECT 1 / (count(*) - 1) FROM paid`),
        );
        await sendAll(runner, ['ROLLBACK TO a', pay(3)]);
        await runner.commitTransaction();
      } finally {
        await runner.release();
      }
    }, APAC));

  it('all in one text, which is not followed savepoint by savepoint, leaves nothing stale', async () => {
    await scene.endedBy(({ source }) =>
      source.query(`BEGIN; SAVEPOINT a; ${pay(1)}; ROLLBACK TO a; ${pay(2)}; COMMIT`),
    );
    await scene.expectTruth();
  });
});

describe('nested transactions of TypeORM', () => {
  const nested = (
    outer: EntityManager,
    work: (inner: EntityManager) => Promise<unknown>,
    fails = false,
  ): Promise<void> =>
    thrown(
      outer.transaction(async (inner) => {
        await work(inner);
        if (fails) throw new Error('undone');
      }),
    );

  it('end the answers of the kept changes, with other tables', () =>
    expectEnded(
      () =>
        scene.app.source.transaction(async (one) => {
          await nested(one, async (two) => {
            await two.update(Account, { id: 1 }, { balance: 5 });
            await nested(two, (three) => three.update(Account, { id: 2 }, { balance: 5 }), true);
            await nested(two, (three) => three.insert(Payment, { id: 14, region: 'US' }));
          });
        }),
      US,
      ['payments', 'payments US'],
    ));

  it('end nothing of a whole transaction that is rolled back', () =>
    expectEnded(() =>
      thrown(
        scene.app.source.transaction(async (one) => {
          await nested(one, (two) => two.save(Account, { id: 1, region: 'EU', balance: 1 }));
          await one.delete(Payment, { id: 11 });
          throw new Error('undone');
        }),
      ),
    ));

  it('end the answers that plpgsql changes, and leave nothing stale where it catches an exception', async () => {
    const ended = await scene.endedBy(({ source }) =>
      source.query(`DO $$ BEGIN
        ${pay(2)};
        BEGIN ${pay(1)}; RAISE 'undone'; EXCEPTION WHEN OTHERS THEN NULL; END;
      END $$`),
    );
    expect(ended).toEqual(expect.arrayContaining([...EU]));
    await scene.expectTruth();
  });
});
