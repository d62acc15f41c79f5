/** Write paths 41 to 46: a transaction ends the answers of its committed writes. */
import type { QueryRunner } from 'typeorm';
import type { CachedApplication } from '../support/cached-application.js';
import { Customer, Order } from './fixtures/shop.entities.js';
import {
  allCustomers,
  allOrders,
  euCustomers,
  euOrders,
  shop,
  type ShopAnswer,
} from './fixtures/shop.js';
import { describeMatrix, type MatrixRow } from './matrix.js';

const visit = (id: number): string => `UPDATE customers SET visits = visits + 1 WHERE id = ${id}`;
const cleo: readonly ShopAnswer[] = [...euCustomers, 'customer 3', ...allCustomers];
const ann: readonly ShopAnswer[] = ['customers US', 'customer 1', ...allCustomers];

/** One query runner for the whole work; its statements may fail. */
const onRunner =
  (work: (runner: QueryRunner) => Promise<unknown>) =>
  async ({ source }: CachedApplication): Promise<void> => {
    const runner = source.createQueryRunner();
    try {
      await work(runner);
    } finally {
      await runner.release();
    }
  };

const byText = (...statements: readonly string[]) =>
  onRunner(async (runner) => {
    for (const statement of statements) await runner.query(statement).catch(() => undefined);
  });

const changedMind = (): never => {
  throw new Error('changed my mind');
};

const rows: readonly MatrixRow<ShopAnswer>[] = [
  {
    path: '41 commit: every table it has written',
    write: ({ source }) =>
      source.transaction(async (manager) => {
        await manager.update(Customer, 1, { visits: 1 });
        await manager.update(Order, 3, { total: 1 });
      }),
    ends: [...ann, ...euOrders, 'order 3', ...allOrders],
  },
  {
    path: '41 commit: a row that came and went inside',
    write: ({ source }) =>
      source.transaction(async (manager) => {
        const eve = await manager.save(Customer, { name: 'eve', region: 'EU' });
        await manager.update(Customer, eve.id, { region: 'APAC' });
        await manager.softDelete(Customer, eve.id);
      }),
    ends: [...euCustomers, 'customers APAC', ...allCustomers],
  },
  {
    path: '41 commit at the strictest isolation level, of a query runner',
    write: onRunner(async (runner) => {
      await runner.startTransaction('SERIALIZABLE');
      await runner.manager.update(Customer, 3, { visits: 1 });
      await runner.commitTransaction();
    }),
    ends: cleo,
  },
  {
    path: '41 commit of nothing but reads',
    write: ({ source }) => source.transaction((manager) => manager.find(Customer)),
    ends: [],
  },
  {
    path: '42 rollback, then a commit over the same connection',
    write: onRunner(async (runner) => {
      await runner.startTransaction();
      await runner.manager.update(Customer, 1, { visits: 1 });
      await runner.rollbackTransaction();
      await runner.startTransaction();
      await runner.manager.update(Customer, 3, { visits: 1 });
      await runner.commitTransaction();
    }),
    ends: cleo,
  },
  {
    path: '42 rollback by an exception, of entities saved inside',
    write: ({ source }) =>
      source
        .transaction(async (manager) => {
          await manager.save(Customer, { id: 1, visits: 1 });
          changedMind();
        })
        .catch(() => undefined),
    ends: [],
  },
  {
    path: '43 savepoint that is released',
    write: ({ source }) =>
      source.transaction((manager) =>
        manager.transaction((inner) => inner.update(Customer, 3, { visits: 1 })),
      ),
    ends: cleo,
  },
  {
    path: '43 savepoint that is rolled back',
    write: ({ source }) =>
      source.transaction(async (manager) => {
        await manager.update(Customer, 1, { visits: 1 });
        await manager
          .transaction(async (inner) => {
            await inner.update(Customer, 3, { visits: 1 });
            changedMind();
          })
          .catch(() => undefined);
      }),
    ends: ann,
  },
  {
    path: '44 nested transactions: the middle one rolls back with what it holds',
    write: ({ source }) =>
      source.transaction(async (outer) => {
        await outer
          .transaction(async (middle) => {
            await middle.transaction((inner) => inner.update(Customer, 1, { visits: 1 }));
            changedMind();
          })
          .catch(() => undefined);
        await outer.transaction((next) => next.update(Customer, 3, { visits: 1 }));
      }),
    ends: cleo,
  },
  {
    path: '44 nested transactions: the outer one rolls back all',
    write: ({ source }) =>
      source
        .transaction(async (outer) => {
          await outer.transaction((inner) => inner.update(Customer, 3, { visits: 1 }));
          changedMind();
        })
        .catch(() => undefined),
    ends: [],
  },
  { path: '45 raw BEGIN and COMMIT', write: byText('BEGIN', visit(3), 'COMMIT'), ends: cleo },
  {
    path: '45 raw START TRANSACTION and END, in other spellings',
    write: byText('start transaction isolation level repeatable read', visit(3), 'END WORK;'),
    ends: cleo,
  },
  {
    path: '45 raw BEGIN and ROLLBACK, then a statement alone',
    write: byText('BEGIN', visit(1), 'ROLLBACK', visit(3)),
    ends: cleo,
  },
  {
    path: '45 raw BEGIN and ABORT',
    write: byText('BEGIN', visit(1), 'ABORT'),
    ends: [],
  },
  {
    path: '45 raw savepoints: one rolled back to, one released',
    write: byText(
      'BEGIN',
      'SAVEPOINT first',
      visit(1),
      'ROLLBACK TO SAVEPOINT first',
      'SAVEPOINT second',
      visit(3),
      'RELEASE second',
      'COMMIT',
    ),
    ends: cleo,
  },
  {
    path: '45 raw savepoints of one name: the latest counts',
    write: byText(
      'BEGIN',
      'SAVEPOINT s',
      visit(3),
      'SAVEPOINT s',
      visit(1),
      'ROLLBACK TO s',
      'COMMIT',
    ),
    ends: cleo,
  },
  {
    path: '45 raw COMMIT AND CHAIN: later statements are a new transaction',
    write: byText('BEGIN', visit(3), 'COMMIT AND CHAIN', visit(1), 'ROLLBACK'),
    ends: cleo,
  },
  {
    path: '45 raw ROLLBACK AND CHAIN',
    write: byText('BEGIN', visit(1), 'ROLLBACK AND CHAIN', visit(3), 'COMMIT'),
    ends: cleo,
  },
  {
    path: '46 COMMIT that PostgreSQL answers with ROLLBACK, sent as text',
    write: byText('BEGIN', visit(1), 'SELECT 1 / 0', 'COMMIT', visit(3)),
    ends: cleo,
  },
  {
    path: '46 COMMIT that PostgreSQL answers with ROLLBACK, sent by TypeORM after a swallowed error',
    write: ({ source }) =>
      source.transaction(async (manager) => {
        await manager.update(Customer, 1, { visits: 1 });
        await manager.query('SELECT 1 / 0').catch(() => undefined);
      }),
    ends: [],
  },
  {
    path: '46 COMMIT that a deferred constraint refuses: published before it was known to fail',
    write: ({ source }) =>
      source
        .transaction(async (manager) => {
          await manager.query('SET CONSTRAINTS ALL DEFERRED');
          await manager.query('UPDATE receipts SET order_id = 77');
          await manager.update(Customer, 1, { visits: 1 });
        })
        .catch(() => undefined),
    ends: [...ann, 'receipts'],
  },
];

describeMatrix('writes in transactions', shop, rows);
