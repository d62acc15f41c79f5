/** Write paths 30 to 36: SQL that is sent as text. */
import type { CachedApplication } from '../support/cached-application.js';
import {
  allCustomers,
  allOrders,
  anything,
  byCustomersEnd,
  byOrder3sEnd,
  byOrdersEnd,
  euCustomers,
  euOrders,
  shop,
  wholeTable,
  type ShopAnswer,
} from './fixtures/shop.js';
import { describeMatrix, type MatrixRow } from './matrix.js';

const sql =
  (text: string, ...parameters: unknown[]) =>
  ({ source }: CachedApplication): Promise<unknown> =>
    source.query(text, parameters);

const rows: readonly MatrixRow<ShopAnswer>[] = [
  {
    path: '30 INSERT of constants',
    write: sql(`INSERT INTO customers (name, region) VALUES ('eve', 'EU') RETURNING id`),
    ends: [...euCustomers, ...allCustomers],
  },
  {
    path: '30 INSERT whose text does not name its key',
    write: sql(`INSERT INTO customers (name, region) VALUES ($1, $2)`, 'eve', 'EU'),
    ends: [...euCustomers, ...allCustomers],
  },
  {
    path: '30 INSERT ... SELECT',
    write: sql(
      `INSERT INTO orders (region, customer_id) SELECT region, id FROM customers WHERE id = 3`,
    ),
    ends: [...euOrders, ...allOrders],
  },
  {
    path: '30 UPDATE by key',
    write: sql('UPDATE orders SET total = total + 1 WHERE id = $1', 3),
    ends: [...euOrders, 'order 3', ...allOrders],
  },
  {
    path: '30 UPDATE by key, with other spelling, a comment and an alias',
    write: sql('/* up */ update only public.orders AS x SET total = 1 WHERE "x"."id" = 3;'),
    ends: [...euOrders, 'order 3', ...allOrders],
  },
  {
    path: '30 UPDATE with OR',
    write: sql('UPDATE orders SET total = 1 WHERE id = 3 OR total = 10'),
    ends: ['orders US', ...euOrders, 'order 1', 'order 3', ...allOrders],
  },
  {
    path: '31 UPDATE ... FROM: the written table, not the one that is read',
    write: sql(
      `UPDATE orders o SET total = c.visits + 1 FROM customers c
       WHERE c.id = o.customer_id AND o.id = 3`,
    ),
    ends: [...euOrders, 'order 3', ...allOrders],
  },
  {
    path: '31 UPDATE ... FROM, returning key and region',
    write: sql(
      `UPDATE orders o SET total = c.visits + 1 FROM customers c
       WHERE c.id = o.customer_id AND c.name = 'cleo' RETURNING o.id, o.region`,
    ),
    ends: [...euOrders, 'order 3', ...allOrders],
  },
  {
    path: '32 DELETE ... USING, and what hangs on the table',
    write: sql(
      `DELETE FROM orders o USING customers c WHERE c.id = o.customer_id AND c.name = 'cleo'`,
    ),
    ends: [...euOrders, 'order 3', ...allOrders, ...byOrder3sEnd],
  },
  {
    path: '33 writing CTE: two tables, each by its own keys',
    write: sql(
      `WITH changed AS (UPDATE orders SET total = 7 WHERE id = 3 RETURNING id, region)
       UPDATE items SET label = 'atlas' WHERE id = 4`,
    ),
    ends: [...euOrders, 'order 3', ...allOrders, 'items', 'item 4'],
  },
  {
    path: '33 writing CTE under a SELECT',
    write: sql(
      `WITH gone AS (DELETE FROM items WHERE order_id = 1 RETURNING label)
       SELECT count(*) FROM gone`,
    ),
    ends: ['items', 'item 1', 'first orders with items'],
  },
  {
    path: '33 writing CTE under an INSERT of its rows',
    write: sql(
      `WITH gone AS (DELETE FROM tags WHERE id = 3 RETURNING label)
       INSERT INTO items (label, order_id) SELECT label, 3 FROM gone`,
    ),
    ends: ['tags', 'orders with tags', 'items', 'first orders with items'],
  },
  {
    path: '34 MERGE that updates and inserts',
    write: sql(
      `MERGE INTO customers c
       USING (VALUES ('cleo', 'EU'), ('eve', 'APAC')) AS fresh (name, region) ON c.name = fresh.name
       WHEN MATCHED THEN UPDATE SET visits = c.visits + 1
       WHEN NOT MATCHED THEN INSERT (name, region) VALUES (fresh.name, fresh.region)`,
    ),
    ends: ['customers APAC', ...euCustomers, 'customer 3', ...allCustomers],
  },
  {
    path: '34 MERGE that deletes an order on which nothing hangs',
    write: sql(
      `MERGE INTO orders o USING customers c ON c.id = o.customer_id AND c.name = 'dai'
       WHEN MATCHED THEN DELETE`,
    ),
    ends: allOrders,
  },
  {
    path: '35 TRUNCATE: table width',
    write: sql('TRUNCATE items'),
    ends: wholeTable('items'),
  },
  {
    path: '35 TRUNCATE of several tables',
    write: sql('TRUNCATE TABLE items, invoices, order_tags RESTART IDENTITY'),
    ends: wholeTable('items', 'invoices', 'order_tags'),
  },
  {
    path: '35 TRUNCATE CASCADE: every table that points at it, whatever the foreign key does',
    write: sql('TRUNCATE orders CASCADE'),
    ends: [...wholeTable('orders'), ...byOrdersEnd, 'receipts'],
  },
  {
    path: '35 TRUNCATE CASCADE over two steps',
    write: sql('TRUNCATE customers CASCADE'),
    ends: [...wholeTable('customers'), ...byCustomersEnd, 'receipts'],
  },
  {
    path: '36 several statements in one string: what each of them writes',
    write: sql(
      `UPDATE orders SET total = 1 WHERE id = 3; SELECT 1; UPDATE items SET label = 'x' WHERE id = 4`,
    ),
    ends: [...euOrders, 'order 3', ...allOrders, 'items', 'item 4'],
  },
  {
    path: '36 several statements in one string, with BEGIN and COMMIT',
    write: sql(
      `BEGIN; UPDATE customers SET visits = 4 WHERE id = 3; COMMIT;
       BEGIN; UPDATE customers SET visits = 4 WHERE id = 1; ROLLBACK`,
    ),
    ends: anything,
  },
  {
    path: '36 several statements in one string, one of which fails',
    write: ({ source }) =>
      source.query(`UPDATE orders SET total = 1 WHERE id = 3; SELECT 1 / 0`).catch(() => undefined),
    ends: [],
  },
  {
    path: '36 customers that swap their regions',
    write: sql(
      `UPDATE customers SET region = CASE region WHEN 'US' THEN 'EU' ELSE 'US' END
       WHERE id IN (1, 3)`,
    ),
    ends: ['customers US', ...euCustomers, 'customer 1', 'customer 3', ...allCustomers],
  },
];

describeMatrix('writes in raw SQL', shop, rows);
