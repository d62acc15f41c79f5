/** Real: PostgreSQL. The catalogue is read from a database made for this file. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import type { Catalogue, TableFacts } from '../../src/query-cache/core/table-facts.js';
import { loadCatalogue } from '../../src/query-cache/sql/catalogue.js';
import { createDatabase } from '../support/shared-postgres.js';

const SCHEMA = `
CREATE SCHEMA shop;
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE DOMAIN code AS text;
CREATE COLLATION blurred (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE users (
  id serial PRIMARY KEY, username varchar(80) UNIQUE, region varchar(10) NOT NULL, dropped int,
  short char(2), code code, mood mood, blurry text COLLATE blurred, big bigint, small smallint,
  token uuid, active boolean, price numeric, name name, tags text[],
  copy text GENERATED ALWAYS AS (username) STORED
);
ALTER TABLE users DROP COLUMN dropped;
CREATE TABLE shop.users (id uuid PRIMARY KEY);
CREATE TABLE shop.orders (
  number int, shop text, user_id int REFERENCES users ON DELETE CASCADE, PRIMARY KEY (shop, number)
);
CREATE TABLE shop.lines (
  id numeric PRIMARY KEY, shop text, number int,
  FOREIGN KEY (shop, number) REFERENCES shop.orders (shop, number) ON UPDATE SET NULL
);
CREATE TABLE shop.notes (user_id int REFERENCES users ON DELETE RESTRICT);
CREATE TABLE tree (id int PRIMARY KEY, parent int REFERENCES tree ON DELETE SET NULL);
CREATE TABLE summed (id int, twice int GENERATED ALWAYS AS (id * 2) STORED UNIQUE);
CREATE TABLE summing (twice int REFERENCES summed (twice) ON UPDATE CASCADE);
CREATE TABLE logs (id int, at date) PARTITION BY RANGE (at);
CREATE TABLE logs_2020 PARTITION OF logs FOR VALUES FROM ('2020-01-01') TO ('2021-01-01') PARTITION BY RANGE (at);
CREATE TABLE logs_2020_a PARTITION OF logs_2020 FOR VALUES FROM ('2020-01-01') TO ('2020-02-01');
CREATE TABLE logs_2021 PARTITION OF logs FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
CREATE TABLE base (id int); CREATE TABLE derived () INHERITS (base);
CREATE TABLE secret (id int); ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
CREATE ROLE reader; GRANT USAGE ON SCHEMA shop TO reader;
CREATE POLICY positive ON secret FOR SELECT USING (id > 0);
CREATE POLICY readers ON secret TO reader USING (pg_has_role('reader', 'USAGE')) WITH CHECK (id > 1);
CREATE POLICY removing ON secret FOR DELETE USING (id > 2);
CREATE POLICY adding ON secret FOR INSERT WITH CHECK (id > 3);
CREATE SEQUENCE shop.hidden;
CREATE TABLE hidden (id int);
CREATE TABLE pg_class (id int);

CREATE FUNCTION pure(int) RETURNS int IMMUTABLE LANGUAGE sql RETURN 1;
CREATE FUNCTION reads(int) RETURNS int STABLE LANGUAGE sql RETURN 1;
CREATE FUNCTION writes(int) RETURNS int LANGUAGE sql RETURN 1;
CREATE FUNCTION mixed(int) RETURNS int IMMUTABLE LANGUAGE sql RETURN 1;
CREATE FUNCTION mixed(text) RETURNS int STABLE LANGUAGE sql RETURN 1;
CREATE FUNCTION shop.lower(int) RETURNS int LANGUAGE sql RETURN 1;
CREATE FUNCTION add_up(int, int) RETURNS int LANGUAGE sql RETURN 1;
CREATE AGGREGATE total(int) (sfunc = add_up, stype = int);
CREATE OPERATOR ~~~ (leftarg = int, rightarg = int, function = add_up);
CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';

CREATE TABLE triggered (id int);
CREATE TRIGGER fire AFTER INSERT ON triggered EXECUTE FUNCTION fire();
CREATE TABLE ruled (id int);
CREATE RULE quiet AS ON DELETE TO ruled DO ALSO NOTIFY gone;
CREATE TABLE defaulting (id int DEFAULT writes(1));
CREATE TABLE checked (id int CHECK (writes(id) = 1));
CREATE TABLE guarded (id int);
CREATE POLICY guard ON guarded USING (writes(id) = 1);
CREATE VIEW over_guarded AS SELECT id FROM guarded;
CREATE TABLE truncated (id int);
CREATE TRIGGER fire BEFORE TRUNCATE OR DELETE ON truncated EXECUTE FUNCTION fire();
CREATE TRIGGER still BEFORE UPDATE ON truncated EXECUTE FUNCTION fire();
ALTER TABLE truncated DISABLE TRIGGER still;
CREATE DOMAIN range AS int CHECK (writes(VALUE) = 1);
CREATE TABLE ranging (id range);
CREATE TABLE calm (id int DEFAULT pure(1) CHECK (reads(id) = 1), at timestamptz DEFAULT clock_timestamp());
CREATE VIEW still AS SELECT id FROM users WHERE reads(id) = 1;
CREATE VIEW stirring AS SELECT writes(id) AS id FROM users;
CREATE VIEW over_stirring AS SELECT * FROM stirring;
CREATE VIEW comparing AS SELECT id ~~~ 1 AS id FROM users;
CREATE VIEW elsewhere AS SELECT u.region FROM users u, shop.users s;
CREATE MATERIALIZED VIEW kept AS SELECT 1 AS id;
`;

const REGIONS = new Map([['public.users', ['region', 'active']]]);

let client: pg.Client;
let catalogue: Catalogue;

beforeAll(async () => {
  client = new pg.Client({ connectionString: await createDatabase() });
  await client.connect();
  await client.query(SCHEMA);
  catalogue = await load();
});

afterAll(() => client.end());

function load(regions: ReadonlyMap<string, readonly string[]> = REGIONS): Promise<Catalogue> {
  return loadCatalogue(
    async (sql, parameters) => (await client.query(sql, parameters)).rows,
    regions,
  );
}

function facts(id: string): TableFacts {
  const table = catalogue.tables.find((candidate) => candidate.id === id);
  if (!table) throw new Error(`no table ${id}`);
  return table;
}

describe('tables', () => {
  it('knows how the values of each column compare', () => {
    const kinds = [...facts('public.users').columns.values()].map(({ name, kind }) => [name, kind]);
    expect(Object.fromEntries(kinds)).toEqual({
      id: 'integer',
      username: 'text',
      region: 'text',
      short: 'other',
      code: 'other',
      mood: 'text',
      blurry: 'other',
      big: 'integer',
      small: 'integer',
      token: 'uuid',
      active: 'boolean',
      price: 'other',
      name: 'other',
      tags: 'other',
      copy: 'other',
    });
  });

  it('has the columns in their order', () => {
    expect([...facts('public.users').columns.keys()].slice(0, 4)).toEqual([
      'id',
      'username',
      'region',
      'short',
    ]);
  });

  it('has the primary key first, then the regions', () => {
    const { dimensions, primaryKey } = facts('public.users');
    expect(primaryKey).toBe('id');
    expect(dimensions.map(({ name }) => name)).toEqual(['id', 'region', 'active']);
  });

  it('has a key of several columns in the order of the key', () => {
    expect(facts('shop.orders')).toMatchObject({
      primaryKey: 'shop,number',
      dimensions: [{ name: 'shop,number', columns: ['shop', 'number'] }],
    });
  });

  it('leaves out a key that proves nothing', () => {
    expect(facts('shop.lines')).toMatchObject({ primaryKey: undefined, dimensions: [] });
  });

  it('knows what foreign keys do, and in which columns', () => {
    expect(facts('public.users')).toMatchObject({
      cascades: [
        {
          table: 'shop.orders',
          columns: ['user_id'],
          onDelete: 'delete',
          onUpdateOf: [],
          isInherited: false,
        },
      ],
      referencedBy: ['shop.notes', 'shop.orders'],
    });
    expect(facts('shop.orders')).toMatchObject({
      cascades: [
        {
          table: 'shop.lines',
          columns: ['shop', 'number'],
          onDelete: 'nothing',
          onUpdateOf: ['number', 'shop'],
          isInherited: false,
        },
      ],
      referencedBy: ['shop.lines'],
    });
    expect(facts('public.tree').cascades).toMatchObject([
      { table: 'public.tree', columns: ['parent'], onDelete: 'update' },
    ]);
    expect(facts('shop.notes')).toMatchObject({ cascades: [], referencedBy: [] });
    // A generated column changes with the others.
    expect(facts('public.summed').cascades).toMatchObject([{ onUpdateOf: ['id', 'twice'] }]);
  });

  it.each([
    ['public.users', 'table'],
    ['public.logs', 'partitioned'],
    ['public.still', 'view'],
    ['public.kept', 'materialized-view'],
  ])('%s is a %s', (id, kind) => {
    expect(facts(id).kind).toBe(kind);
  });

  it('knows families over every step', () => {
    const families = catalogue.tables
      .filter(({ relatives }) => relatives.length > 0)
      .map(({ name, relatives }) => [name, relatives.map((id) => id.replace('public.', ''))]);
    expect(Object.fromEntries(families)).toEqual({
      base: ['derived'],
      derived: ['base'],
      logs: ['logs_2020', 'logs_2020_a', 'logs_2021'],
      logs_2020: ['logs', 'logs_2020_a', 'logs_2021'],
      logs_2020_a: ['logs', 'logs_2020', 'logs_2021'],
      logs_2021: ['logs', 'logs_2020', 'logs_2020_a'],
    });
  });

  it('has the queries of views, and what they read', () => {
    expect(facts('public.over_stirring')).toMatchObject({ sources: ['public.stirring'] });
    expect(facts('public.still').definition?.replace(/\s+/g, ' ').trim()).toBe(
      'SELECT id FROM users WHERE (reads(id) = 1);',
    );
    expect(facts('public.elsewhere')).toMatchObject({
      sources: ['public.users', 'shop.users'],
      definition: expect.stringContaining('shop.users'),
    });
    expect(facts('public.kept').definition).toContain('1 AS id');
    expect(facts('public.users')).toMatchObject({ definition: undefined, sources: [] });
  });

  it('knows whether policies apply to the role at hand', async () => {
    expect(facts('public.secret')).toMatchObject({
      isRowSecured: true,
      hasRowSecurity: false, // to a superuser they do not
      policies: ['(id > 0)', "pg_has_role('reader'::name, 'USAGE'::text)"],
    });
    await client.query('SET ROLE reader');
    const other = await load();
    await client.query('RESET ROLE');
    expect(other.table('public', 'secret')).toMatchObject({ hasRowSecurity: true });
    expect(other.fingerprint).not.toBe(catalogue.fingerprint);
  });

  it('knows where a statement does more than it says', () => {
    const acting = catalogue.tables
      .filter(({ sideEffects }) => sideEffects.size > 0)
      .map(({ name, sideEffects }) => [name, [...sideEffects].join(' ')]);
    expect(Object.fromEntries(acting)).toEqual({
      checked: 'insert update',
      comparing: 'read',
      defaulting: 'insert update',
      guarded: 'delete insert read update',
      over_guarded: 'read',
      over_stirring: 'read',
      ranging: 'insert update',
      ruled: 'delete',
      still: 'read', // its function is STABLE, and may call what writes
      stirring: 'read',
      triggered: 'insert',
      truncated: 'delete truncate',
    });
  });

  it('holds no table of the system', () => {
    expect(new Set(catalogue.tables.map(({ schema }) => schema))).toEqual(
      new Set(['public', 'shop']),
    );
  });
});

describe('names', () => {
  it('finds tables by schema or along the search path', () => {
    expect(catalogue.table(undefined, 'users')?.id).toBe('public.users');
    expect(catalogue.table('shop', 'users')?.id).toBe('shop.users');
    expect(catalogue.table(undefined, 'orders')).toBeUndefined();
    expect(catalogue.table(undefined, 'Users')).toBeUndefined();
  });

  it('takes no relation of the system for a table of a user', () => {
    expect(catalogue.table(undefined, 'pg_class')).toBeUndefined();
    expect(catalogue.table('pg_catalog', 'pg_stat_activity')).toBeUndefined();
    expect(catalogue.table('public', 'pg_class')?.id).toBe('public.pg_class');
  });

  it('follows another search path, on which other relations hide tables', async () => {
    await client.query('SET search_path = shop, public');
    const other = await load();
    await client.query('RESET search_path');
    expect(other.table(undefined, 'users')?.id).toBe('shop.users');
    expect(other.table(undefined, 'tree')?.id).toBe('public.tree');
    expect(other.table(undefined, 'hidden')).toBeUndefined();
    expect(other.isBuiltIn(undefined, 'lower')).toBe(false);
    expect(other.functionVolatility(undefined, 'lower')).toBe('volatile');
    expect(other.fingerprint).not.toBe(catalogue.fingerprint);
  });

  it.each([
    ['lower', 'immutable', true],
    ['now', 'stable', true],
    ['random', 'volatile', true],
    ['count', 'immutable', true],
    ['row_number', 'immutable', true],
    ['pure', 'immutable', false],
    ['reads', 'stable', false],
    ['writes', 'volatile', false],
    ['mixed', 'stable', false],
    ['total', 'volatile', false],
    ['nowhere', undefined, false],
  ])('function %s is %s', (name, volatility, isBuiltIn) => {
    expect(catalogue.functionVolatility(undefined, name)).toBe(volatility);
    expect(catalogue.isBuiltIn(undefined, name)).toBe(isBuiltIn);
  });

  it('finds functions by schema', () => {
    expect(catalogue.functionVolatility('shop', 'lower')).toBe('volatile');
    expect(catalogue.functionVolatility('pg_catalog', 'lower')).toBe('immutable');
    expect(catalogue.functionVolatility('public', 'lower')).toBeUndefined();
  });

  it.each([
    ['=', 'immutable'],
    ['~~', 'immutable'],
    ['-', 'immutable'],
    ['~~~', 'volatile'],
    ['?!?', undefined],
  ])('operator %s is %s', (name, volatility) => {
    expect(catalogue.operatorVolatility(undefined, name)).toBe(volatility);
  });

  it('trusts no = that replaces the one of PostgreSQL', async () => {
    await client.query('BEGIN');
    await client.query(
      `CREATE FUNCTION same(varchar, varchar) RETURNS bool IMMUTABLE LANGUAGE sql RETURN true;
       CREATE OPERATOR = (leftarg = varchar, rightarg = varchar, function = same)`,
    );
    const other = await load();
    await client.query('ROLLBACK');
    expect(other.operatorVolatility(undefined, '=')).toBe('volatile');
    expect(other.operatorVolatility('pg_catalog', '=')).toBe('immutable');
  });
});

describe('fingerprint', () => {
  it('stays while nothing changes', async () => {
    expect((await load()).fingerprint).toBe(catalogue.fingerprint);
  });

  it.each([
    ['ALTER TABLE users ADD COLUMN more int'],
    ['ALTER TABLE users ALTER COLUMN price TYPE float8'],
    ['ALTER TABLE users ENABLE ROW LEVEL SECURITY'],
    ['CREATE TRIGGER fire AFTER INSERT ON users EXECUTE FUNCTION fire()'],
    [
      'ALTER TABLE shop.notes DROP CONSTRAINT notes_user_id_fkey, ADD FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE',
    ],
    ['CREATE OR REPLACE FUNCTION pure(int) RETURNS int LANGUAGE sql RETURN 1'],
    ['CREATE TABLE more (id int)'],
    ['CREATE TABLE more () INHERITS (hidden)'],
    ['CREATE OR REPLACE VIEW still AS SELECT id FROM users'],
    ['ALTER POLICY positive ON secret USING (id > 1)'],
    ['ALTER TABLE truncated ENABLE TRIGGER still'],
    ['ALTER TABLE shop.notes DROP CONSTRAINT notes_user_id_fkey'],
  ])('changes with %s', async (ddl) => {
    await client.query('BEGIN');
    await client.query(ddl);
    const changed = await load();
    await client.query('ROLLBACK');
    expect(changed.fingerprint).not.toBe(catalogue.fingerprint);
  });

  it('changes with the regions', async () => {
    expect((await load(new Map())).fingerprint).not.toBe(catalogue.fingerprint);
  });
});

it('takes a table that no migration has made yet for one without regions', async () => {
  const loaded = await load(new Map([['public.nowhere', ['region']]]));
  expect(loaded.table('public', 'nowhere')).toBeUndefined();
});

it('takes a column that no migration has made yet for no region', async () => {
  const loaded = await load(new Map([['public.users', ['nowhere']]]));
  const names = loaded.table('public', 'users')?.dimensions.map(({ name }) => name);
  expect(names).toEqual(['id']);
});

describe('regions that cannot be', () => {
  it('leaves out a table that no migration has made yet', async () => {
    const { tables } = await load(new Map([['public.nowhere', ['region']]]));
    expect(tables.some(({ id }) => id === 'public.nowhere')).toBe(false);
  });

  it.each([
    ['public.users', 'price', /Column price of table public\.users.*numeric.*declare another/],
    ['public.users', 'short', /character\(2\)/],
    ['public.users', 'blurry', /collation that is not deterministic/],
    ['public.users', 'copy', /generated/],
  ])('refuses %s %s', async (table, column, message) => {
    await expect(load(new Map([[table, [column]]]))).rejects.toThrow(message);
  });
});
