/** Statements that change rows of several regions and tables: exactly the answers about those rows end. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { CacheRegion } from '../../src/index.js';
import { rowsOf, type World } from '../matrix/fixtures/world.js';
import { Account, accountAnswers, accounts, Payment } from './fixtures/accounts.js';
import { Scene, type Write } from './scene.js';

/** Deleted with its payment, or kept without it. */
@Entity('refunds', { synchronize: false })
@CacheRegion<Refund>('region')
class Refund {
  @PrimaryColumn({ type: 'integer' })
  id: number;

  @Column({ type: 'text' })
  region: string;

  @Column({ type: 'integer', nullable: true })
  payment: number | null;

  @Column({ type: 'integer', nullable: true })
  account: number | null;
}

const refunds = (condition?: string) => rowsOf('refunds', {}, condition);
const answers = {
  ...accountAnswers,
  refunds: refunds(),
  'refunds US': refunds(`t.region = 'US'`),
  'refunds EU': refunds(`t.region = 'EU'`),
  'refunds APAC': refunds(`t.region = 'APAC'`),
  'refund 21': refunds('t.id = 21'),
};
type Answer = keyof typeof answers;

/** Refund 21 of payment 11 is in EU, 22 of payment 12 in APAC, 23 of account 3 in US. */
const world: World<Answer> = {
  entities: [...accounts.entities, Refund],
  schema: `
    ${accounts.schema};
    CREATE TABLE refunds (id int PRIMARY KEY, region text NOT NULL, payment int, account int);
    CREATE TABLE imported (id int, region text, balance int);
    ALTER TABLE payments ADD FOREIGN KEY (account) REFERENCES accounts ON DELETE CASCADE ON UPDATE CASCADE;
    ALTER TABLE refunds ADD FOREIGN KEY (payment) REFERENCES payments ON DELETE CASCADE;
    ALTER TABLE refunds ADD FOREIGN KEY (account) REFERENCES accounts ON DELETE SET NULL`,
  seed: `
    TRUNCATE refunds, payments, accounts;
    ${accounts.seed.replace(/TRUNCATE[^;]*;/, '')};
    INSERT INTO refunds VALUES (21, 'EU', 11, NULL), (22, 'APAC', 12, NULL), (23, 'US', NULL, 3)`,
  answers,
};

let scene: Scene<Answer>;

beforeAll(async () => {
  scene = await Scene.open(world);
});
afterAll(() => scene.close());
beforeEach(() => scene.prepare());

interface Row {
  readonly what: string;
  readonly write: Write;
  readonly ends: readonly Answer[];
}

const sql =
  (text: string, ...values: unknown[]): Write =>
  ({ source }) =>
    source.query(text, values);

function table(rows: readonly Row[]): void {
  it.each(rows)('$what', async ({ write, ends }) => {
    expect((await scene.endedBy(write)).toSorted()).toEqual(ends.toSorted());
    await scene.expectTruth();
  });
}

const MERGE = `MERGE INTO accounts a USING (VALUES
    (1, 'US', -1), (2, 'EU', 25), (4, 'US', 40)) AS s (id, region, balance) ON a.id = s.id`;

describe('foreign keys', () => {
  table([
    {
      what: 'ON DELETE CASCADE over two levels: one region of each table',
      write: ({ source }) => source.manager.delete(Account, { id: 1 }),
      ends: [
        ...(['accounts', 'accounts US', 'account 1'] as const),
        ...(['payments', 'payments US', 'payment 11'] as const),
        ...(['refunds', 'refunds EU', 'refund 21'] as const),
      ],
    },
    {
      what: 'ON DELETE SET NULL beside a cascade',
      write: sql('DELETE FROM accounts WHERE balance = $1', 30),
      ends: [
        ...(['accounts', 'accounts APAC', 'payments', 'payments APAC'] as const),
        ...(['refunds', 'refunds US'] as const),
      ],
    },
    {
      what: 'ON UPDATE CASCADE of a key',
      write: sql('UPDATE accounts SET id = 7 WHERE id = 2'),
      ends: ['accounts', 'accounts EU', 'account 2', 'payments', 'payments EU'],
    },
    {
      what: 'the second level alone',
      write: ({ source }) => source.manager.delete(Payment, { id: 12 }),
      ends: ['payments', 'payments EU', 'refunds', 'refunds APAC'],
    },
    {
      what: 'a row that no other refers to',
      write: async ({ source }) => {
        await source.manager.insert(Account, { id: 9, region: 'US' });
        await scene.warm();
        await source.manager.delete(Account, { id: 9 });
      },
      ends: ['accounts', 'accounts US'],
    },
    {
      what: 'a cascade that is rolled back',
      write: ({ source }) =>
        source
          .transaction(async (manager) => {
            await manager.delete(Account, { id: 1 });
            throw new Error('undone');
          })
          .catch(() => undefined),
      ends: [],
    },
  ]);
});

describe('MERGE', () => {
  table([
    {
      what: 'that updates, deletes and inserts',
      write: sql(`${MERGE} WHEN MATCHED AND s.balance < 0 THEN DELETE
        WHEN MATCHED THEN UPDATE SET balance = s.balance
        WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.region, s.balance)`),
      ends: [
        ...(['accounts', 'accounts US', 'accounts EU', 'account 1', 'account 2'] as const),
        ...(['payments', 'payments US', 'payment 11'] as const),
        ...(['refunds', 'refunds EU', 'refund 21'] as const),
      ],
    },
    {
      what: 'that inserts alone',
      write: sql(`${MERGE} WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.region, s.balance)`),
      ends: ['accounts', 'accounts US'],
    },
    {
      what: 'that does nothing',
      write: sql(`${MERGE} WHEN MATCHED THEN DO NOTHING`),
      ends: [],
    },
    {
      what: 'that moves a row to another region, in a transaction',
      write: ({ source }) =>
        source.transaction((manager) =>
          manager.query(`${MERGE} WHEN MATCHED AND a.id = 2 THEN UPDATE SET region = 'APAC'`),
        ),
      ends: ['accounts', 'accounts EU', 'accounts APAC', 'account 2'],
    },
  ]);
});

describe('upserts', () => {
  table([
    {
      what: 'that insert one row and update another',
      write: ({ source }) =>
        source.manager.upsert(
          Account,
          [
            { id: 1, region: 'US', balance: 1 },
            { id: 8, region: 'APAC', balance: 1 },
          ],
          ['id'],
        ),
      ends: ['accounts', 'accounts US', 'accounts APAC', 'account 1'],
    },
    {
      what: 'that move the row to another region',
      write: ({ source }) =>
        source.manager.upsert(Account, { id: 1, region: 'APAC', balance: 1 }, ['id']),
      ends: ['accounts', 'accounts US', 'accounts APAC', 'account 1'],
    },
    {
      what: 'that find the row and do nothing',
      write: sql(`INSERT INTO accounts VALUES (1, 'EU', 1) ON CONFLICT DO NOTHING`),
      ends: [],
    },
    {
      what: 'whose WHERE keeps the row as it is',
      write: sql(`INSERT INTO accounts VALUES (1, 'EU', 1) ON CONFLICT (id)
        DO UPDATE SET region = 'EU' WHERE accounts.balance = 99`),
      ends: [],
    },
  ]);
});

describe('statements over sets', () => {
  table([
    {
      what: 'UPDATE ... FROM: the rows that were joined',
      write: sql(`UPDATE payments p SET account = NULL FROM accounts a
        WHERE a.id = p.account AND a.balance < 25`),
      ends: ['payments', 'payments US', 'payments EU', 'payment 11'],
    },
    {
      what: 'DELETE ... USING',
      write: sql(`DELETE FROM refunds r USING payments p WHERE p.id = r.payment AND p.account = 2`),
      ends: ['refunds', 'refunds APAC'],
    },
    {
      what: 'INSERT ... SELECT: the regions that were selected',
      write: sql(`INSERT INTO refunds SELECT id + 100, region, NULL, id FROM accounts
        WHERE balance > 15`),
      ends: ['refunds', 'refunds EU', 'refunds APAC'],
    },
    {
      what: 'bulk update by a column that is no region',
      write: ({ source }) =>
        source
          .createQueryBuilder()
          .update(Account)
          .set({ balance: () => 'balance * 2' })
          .where('balance >= 20')
          .execute(),
      ends: ['accounts', 'accounts EU', 'accounts APAC', 'account 2'],
    },
    {
      what: 'bulk update that finds no row',
      write: sql('UPDATE accounts SET balance = 0 WHERE balance = 12345'),
      ends: [],
    },
    {
      what: 'a WITH that writes two tables and answers a third',
      write: sql(`WITH a AS (UPDATE accounts SET balance = 0 WHERE balance = 10 RETURNING id),
          r AS (INSERT INTO refunds SELECT 99, 'APAC', NULL, id FROM a RETURNING id)
        SELECT id FROM bystanders`),
      ends: ['accounts', 'accounts US', 'account 1', 'refunds', 'refunds APAC'],
    },
    {
      what: 'several statements in one text',
      write: sql(`UPDATE accounts SET balance = 0 WHERE id = 1; DELETE FROM refunds WHERE id = 23`),
      ends: ['accounts', 'accounts US', 'account 1', 'refunds', 'refunds US'],
    },
    {
      what: 'more rows than a notice names: their region alone, and any key',
      write: sql(`INSERT INTO refunds SELECT n, 'APAC' FROM generate_series(1000, 3000) AS n`),
      ends: ['refunds', 'refunds APAC', 'refund 21'],
    },
    {
      what: 'rows of a table that no answer reads',
      write: sql(`INSERT INTO imported VALUES (1, 'US', 1)`),
      ends: [],
    },
  ]);
});
