/**
 * Writes that no statement names: of functions behind defaults, checks, casts and views, of cursors
 * that run at COMMIT, and of partitions. Real: PostgreSQL, asked past the cache for the truth.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import pg from 'pg';
import { defineQuery, type BoundQuery } from '../../src/index.js';
import { CachedApplication } from '../support/cached-application.js';
import { eventually } from '../../../../test/support/eventually.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';

const SCHEMA = `
CREATE TABLE tickets (id int PRIMARY KEY, sold int);
CREATE TABLE logbook (id int PRIMARY KEY);
INSERT INTO logbook VALUES (1);
CREATE FUNCTION sell() RETURNS int LANGUAGE sql VOLATILE
  AS 'UPDATE tickets SET sold = sold + 1 WHERE id = 1 RETURNING sold';
CREATE FUNCTION price() RETURNS int LANGUAGE plpgsql STABLE AS 'BEGIN RETURN sell(); END';
CREATE FUNCTION note(value int) RETURNS boolean LANGUAGE plpgsql VOLATILE
  AS 'BEGIN PERFORM sell(); RETURN true; END';
CREATE FUNCTION add_up(a int, b int) RETURNS int LANGUAGE plpgsql VOLATILE
  AS 'BEGIN PERFORM sell(); RETURN a + b; END';
CREATE AGGREGATE spy(int) (sfunc = add_up, stype = int, initcond = '0');
CREATE VIEW spied AS SELECT spy(id) AS sum FROM logbook;
CREATE VIEW priced AS SELECT price() AS price FROM logbook;
CREATE DOMAIN number AS int DEFAULT sell();
CREATE TABLE numbered (id int, number number);
CREATE DOMAIN noted AS int CHECK (note(VALUE));
CREATE DOMAIN noted_twice AS noted;
CREATE TABLE noting (id int, value noted_twice);
CREATE TYPE pair AS (one noted_twice, two int);
CREATE TABLE pairing (pair pair);
CREATE TABLE parts (id int, region text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE parts_us PARTITION OF parts FOR VALUES IN ('US');
CREATE TABLE parts_eu PARTITION OF parts FOR VALUES IN ('EU');
CREATE TABLE labels (id int PRIMARY KEY, part int, region text,
  FOREIGN KEY (part, region) REFERENCES parts_us (id, region) ON DELETE CASCADE);
CREATE TABLE first_source (id int PRIMARY KEY, n int);
CREATE TABLE second_source (id int PRIMARY KEY, n int);
INSERT INTO first_source VALUES (1, 1);
INSERT INTO second_source VALUES (1, 2);
CREATE VIEW shown AS SELECT id, n FROM first_source;
CREATE TABLE changes (note text);
CREATE FUNCTION switch() RETURNS text LANGUAGE plpgsql VOLATILE AS $$ BEGIN
  CREATE OR REPLACE VIEW shown AS SELECT id, n FROM second_source; RETURN 'switched'; END $$;
CREATE SCHEMA tidemark_shop;
CREATE TABLE tidemark_shop.orders (id int PRIMARY KEY, n int);
INSERT INTO tidemark_shop.orders VALUES (1, 0);
CREATE FUNCTION order_more() RETURNS int LANGUAGE sql VOLATILE
  AS 'UPDATE tidemark_shop.orders SET n = n + 1 RETURNING n';
CREATE EXTENSION "uuid-ossp";
CREATE TABLE things (id uuid PRIMARY KEY DEFAULT uuid_generate_v4(), n int);
`;

const rowsOf = (table: string): BoundQuery =>
  defineQuery({
    name: table,
    shape: 'raw',
    build: (source, _: Record<string, never>) =>
      source.createQueryBuilder().select('t.*').from(table, 't').orderBy('t.id'),
  }).bind({});
const tickets = rowsOf('tickets');
const labels = rowsOf('labels');
const shown = rowsOf('shown');

let app: CachedApplication;
let truth: pg.Client;

beforeAll(async () => {
  const databaseUrl = await createDatabase();
  truth = new pg.Client({ connectionString: databaseUrl });
  await truth.connect();
  await truth.query(SCHEMA);
  app = await CachedApplication.start({ databaseUrl, entities: [] });
});

afterAll(async () => {
  await app.stop();
  await truth.end();
});

beforeEach(async () => {
  await app.source.query('TRUNCATE tickets; INSERT INTO tickets VALUES (1, 0)');
  await warm(tickets);
});

async function warm(query: BoundQuery): Promise<void> {
  await eventually(async () => expect(await outcomeOf(query)).toEqual(['hit']));
}

const outcomeOf = async (query: BoundQuery): Promise<readonly string[]> =>
  (await app.observe(() => app.cache.run(query))).outcomes;

async function stored(table: string): Promise<unknown[]> {
  return (await truth.query<Record<string, unknown>>(`SELECT * FROM ${table} ORDER BY id`)).rows;
}

const send =
  (...statements: readonly string[]) =>
  async (): Promise<void> => {
    const runner = app.source.createQueryRunner();
    try {
      for (const statement of statements) await runner.query(statement);
    } finally {
      await runner.release();
    }
  };

describe('a write that the statement does not name', () => {
  it.each([
    ['the default of a domain', send('INSERT INTO numbered (id) VALUES (1)')],
    ['the check of a domain over a domain', send('INSERT INTO noting VALUES (1, 5)')],
    ['the check of a domain in a composite', send('INSERT INTO pairing VALUES (ROW(1, 2))')],
    ['a cast to a domain', send('SELECT 5::noted_twice')],
    [
      'a cast of the columns of a function',
      send(`SELECT * FROM json_to_record('{"a":1}') AS t(a noted)`),
    ],
    ['a STABLE function that calls a volatile one', send('SELECT price()')],
    ['the same behind a view', send('SELECT * FROM priced')],
    ['an aggregate behind a view', send('SELECT * FROM spied')],
    [
      'a cursor that runs at COMMIT',
      send('DECLARE kept CURSOR WITH HOLD FOR SELECT sell()', 'CLOSE kept'),
    ],
    [
      'the same in a transaction',
      send('BEGIN', 'DECLARE kept CURSOR WITH HOLD FOR SELECT sell()', 'COMMIT', 'CLOSE kept'),
    ],
  ])('ends the answers that it changes: %s', async (_what, write) => {
    await write();
    const now = await stored('tickets');
    expect(now).not.toEqual([{ id: 1, sold: 0 }]);
    expect(await app.cache.run(tickets)).toEqual(now);
  });

  it('deletes by a foreign key when a row moves out of the partition it names', async () => {
    await app.source.query(
      `INSERT INTO parts VALUES (1, 'US'); INSERT INTO labels VALUES (9, 1, 'US')`,
    );
    await warm(labels);
    await app.source.query(`UPDATE parts SET region = 'EU' WHERE id = 1 AND region = 'US'`);
    expect(await stored('labels')).toEqual([]);
    expect(await app.cache.run(labels)).toEqual([]);
  });

  it("is seen in a schema whose name begins like the outbox's", async () => {
    const orders = rowsOf('tidemark_shop.orders');
    await warm(orders);
    await app.source.query('SELECT order_more()');
    expect(await app.cache.run(orders)).toEqual([{ id: 1, n: 1 }]);
  });

  it('changes the schema in a function: later statements are classified again', async () => {
    await warm(shown);
    await app.source.query('INSERT INTO changes SELECT switch()');
    expect(await app.cache.run(shown)).toEqual([{ id: 1, n: 2 }]);
    await warm(shown);
    await app.source.query('UPDATE second_source SET n = 3 WHERE id = 1');
    expect(await app.cache.run(shown)).toEqual([{ id: 1, n: 3 }]);
  });
});

describe('a function that only seems to write', () => {
  it.each([
    ['a key that an extension makes', send('INSERT INTO things (n) VALUES (1)')],
    ['a temporary table', send('CREATE TEMP TABLE scratch (id int)', 'DROP TABLE scratch')],
    [
      'a temporary copy',
      send('CREATE TEMP TABLE copy AS SELECT * FROM tickets', 'DROP TABLE copy'),
    ],
  ])('ends nothing: %s', async (_what, write) => {
    await write();
    expect(await outcomeOf(tickets)).toEqual(['hit']);
  });
});
