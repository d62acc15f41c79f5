/**
 * Write paths 37, 39 and 40: changes of the schema, bulk loads, and code that runs in the server.
 * Path 38, REFRESH MATERIALIZED VIEW, stands with the views.
 */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CachedApplication } from '../support/cached-application.js';
import { allOrders, anything, euOrders, shop, type ShopAnswer } from './fixtures/shop.js';
import { describeMatrix, type MatrixRow } from './matrix.js';

const sql =
  (text: string, ...parameters: unknown[]) =>
  ({ source }: CachedApplication): Promise<unknown> =>
    source.query(text, parameters);

/** A file that the database server can read. */
async function withFile(
  content: string,
  work: (file: string) => Promise<unknown>,
): Promise<unknown> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-copy-'));
  try {
    await chmod(folder, 0o755);
    const file = join(folder, 'rows.csv');
    await writeFile(file, content, { mode: 0o644 });
    return await work(file);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const rows: readonly MatrixRow<ShopAnswer>[] = [
  {
    path: '37 ALTER TABLE ADD COLUMN: everything, and t.* has one more',
    write: sql(`ALTER TABLE items ADD COLUMN IF NOT EXISTS colour text DEFAULT 'red'`),
    ends: anything,
  },
  {
    path: '37 CREATE INDEX: everything',
    write: sql('CREATE INDEX ON orders (total)'),
    ends: anything,
  },
  {
    path: '37 CREATE INDEX CONCURRENTLY: everything',
    write: sql('CREATE INDEX CONCURRENTLY ON items (label)'),
    ends: anything,
  },
  {
    path: '37 CREATE TABLE and DROP TABLE: everything',
    write: async ({ source }) => {
      await source.query('CREATE TABLE scraps (id integer)');
      await source.query('DROP TABLE scraps');
    },
    ends: anything,
  },
  {
    path: '37 DDL in a transaction that commits: everything',
    write: ({ source }) =>
      source.transaction((manager) =>
        manager.query('ALTER TABLE tags ALTER COLUMN label TYPE varchar(30)'),
      ),
    ends: anything,
  },
  {
    path: '37 DDL that is rolled back',
    write: async ({ source }) => {
      const runner = source.createQueryRunner();
      await runner.startTransaction();
      await runner.query('ALTER TABLE items DROP COLUMN label');
      await runner.rollbackTransaction();
      await runner.release();
    },
    ends: [],
  },
  {
    path: '37 CREATE TABLE AS: everything',
    write: async ({ source }) => {
      await source.query('DROP TABLE IF EXISTS copies');
      await source.query('CREATE TABLE copies AS SELECT * FROM items');
    },
    ends: anything,
  },
  {
    path: '39 COPY FROM: rows of unknown keys and regions',
    write: (app) =>
      withFile('hat,3\n', (file) => sql(`COPY items (label, order_id) FROM '${file}' CSV`)(app)),
    ends: ['items', 'first orders with items'],
  },
  {
    path: '39 COPY FROM PROGRAM',
    write: sql(`COPY items (label, order_id) FROM PROGRAM 'echo hat,3' CSV`),
    ends: ['items', 'first orders with items'],
  },
  {
    path: '39 COPY TO: nothing',
    write: sql(`COPY items TO '/dev/null'`),
    ends: [],
  },
  {
    path: '40 SELECT of a function that writes',
    write: sql('SELECT sell($1)', 3),
    ends: [...euOrders, 'order 3', ...allOrders],
  },
  {
    path: '40 SELECT FROM a function that writes',
    write: sql('SELECT * FROM generate_series(1, 2) AS n, LATERAL sell(n)'),
    ends: ['orders US', 'order 1', ...allOrders],
  },
  {
    path: '40 INSERT of what a function answers that writes',
    write: sql(`INSERT INTO items (label, order_id) VALUES (sell(3)::text, 3)`),
    ends: [...euOrders, 'order 3', ...allOrders, 'items'],
  },
  {
    path: '40 SELECT of a stable function: nothing',
    write: sql('SELECT price($1)', 3),
    ends: [],
  },
  {
    path: '40 CALL: everything',
    write: sql('CALL restock($1)', 4),
    ends: anything,
  },
  {
    path: '40 DO: everything',
    write: sql(`DO $$ BEGIN UPDATE customers SET visits = 8 WHERE id = 1; END $$`),
    ends: anything,
  },
  {
    path: '40 EXECUTE of a prepared write',
    write: async ({ source }) => {
      const runner = source.createQueryRunner();
      await runner.query('PREPARE rename AS UPDATE items SET label = $2 WHERE id = $1');
      await runner.query(`EXECUTE rename(4, 'atlas')`);
      await runner.query('DEALLOCATE rename');
      await runner.release();
    },
    ends: ['items', 'item 4', 'first orders with items'],
  },
  {
    path: '40 EXPLAIN ANALYZE of a write carries it out',
    write: sql(`EXPLAIN ANALYZE UPDATE items SET label = 'atlas' WHERE id = 4`),
    ends: ['items', 'item 4', 'first orders with items'],
  },
  {
    path: '40 EXPLAIN of a write does not',
    write: sql(`EXPLAIN UPDATE items SET label = 'atlas' WHERE id = 4`),
    ends: [],
  },
];

describeMatrix('writes inside the server', shop, rows);
