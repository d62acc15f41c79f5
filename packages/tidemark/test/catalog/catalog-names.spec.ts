/** Real: PostgreSQL. Resolution of names in the catalog, and the changes that outdate it. */
import { describe, expect, it } from 'vitest';
import { LoadedCatalog } from '../fixtures/loaded-catalog.js';

const on = new LoadedCatalog();

describe('names', () => {
  it('finds tables by schema or along the search path', () => {
    expect(on.catalog.table(undefined, 'users')?.id).toBe('public.users');
    expect(on.catalog.table('shop', 'users')?.id).toBe('shop.users');
    expect(on.catalog.table(undefined, 'orders')).toBeUndefined();
    expect(on.catalog.table(undefined, 'Users')).toBeUndefined();
  });

  it('does not treat a system relation as a user table', () => {
    expect(on.catalog.table(undefined, 'pg_class')).toBeUndefined();
    expect(on.catalog.table('pg_catalog', 'pg_stat_activity')).toBeUndefined();
    expect(on.catalog.table('public', 'pg_class')?.id).toBe('public.pg_class');
  });

  it('follows another search path, on which other relations hide tables', async () => {
    await on.client.query('SET search_path = shop, public');
    const other = await on.load();
    await on.client.query('RESET search_path');
    expect(other.table(undefined, 'users')?.id).toBe('shop.users');
    expect(other.table(undefined, 'tree')?.id).toBe('public.tree');
    expect(other.table(undefined, 'hidden')).toBeUndefined();
    expect(other.isBuiltIn(undefined, 'lower')).toBe(false);
    expect(other.functionVolatility(undefined, 'lower')).toBe('volatile');
    expect(other.fingerprint).not.toBe(on.catalog.fingerprint);
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
    expect(on.catalog.functionVolatility(undefined, name)).toBe(volatility);
    expect(on.catalog.isBuiltIn(undefined, name)).toBe(isBuiltIn);
  });

  it('finds functions by schema', () => {
    expect(on.catalog.functionVolatility('shop', 'lower')).toBe('volatile');
    expect(on.catalog.functionVolatility('pg_catalog', 'lower')).toBe('immutable');
    expect(on.catalog.functionVolatility('public', 'lower')).toBeUndefined();
  });

  it.each([
    ['=', 'immutable'],
    ['~~', 'immutable'],
    ['-', 'immutable'],
    ['~~~', 'volatile'],
    ['?!?', undefined],
  ])('operator %s is %s', (name, volatility) => {
    expect(on.catalog.operatorVolatility(undefined, name)).toBe(volatility);
  });

  it("does not trust an operator = that replaces PostgreSQL's", async () => {
    await on.client.query('BEGIN');
    await on.client.query(
      `CREATE FUNCTION same(varchar, varchar) RETURNS bool IMMUTABLE LANGUAGE sql RETURN true;
       CREATE OPERATOR = (leftarg = varchar, rightarg = varchar, function = same)`,
    );
    const other = await on.load();
    await on.client.query('ROLLBACK');
    expect(other.operatorVolatility(undefined, '=')).toBe('volatile');
    expect(other.operatorVolatility('pg_catalog', '=')).toBe('immutable');
  });
});

describe('fingerprint', () => {
  it('stays the same while nothing changes', async () => {
    expect((await on.load()).fingerprint).toBe(on.catalog.fingerprint);
  });

  it.each([
    ['ALTER TABLE users ADD COLUMN more int'],
    ['ALTER TABLE users ALTER COLUMN price TYPE float8'],
    ['ALTER TABLE users ENABLE ROW LEVEL SECURITY'],
    ['CREATE TRIGGER fire AFTER INSERT ON tree EXECUTE FUNCTION fire()'],
    ['CREATE OR REPLACE FUNCTION pure(int) RETURNS int LANGUAGE sql RETURN 1'],
    ['CREATE TABLE more (id int)'],
    ['CREATE TABLE more () INHERITS (hidden)'],
    ['CREATE OR REPLACE VIEW still AS SELECT id FROM users'],
    ['ALTER POLICY positive ON secret USING (id > 1)'],
    ['ALTER TABLE calm ENABLE TRIGGER still'],
    ['ALTER TABLE shop.notes DROP CONSTRAINT notes_user_id_fkey'],
  ])('changes with %s', async (ddl) => {
    await on.client.query('BEGIN');
    await on.client.query(ddl);
    const changed = await on.load();
    await on.client.query('ROLLBACK');
    expect(changed.fingerprint).not.toBe(on.catalog.fingerprint);
  });

  it('changes with the regions', async () => {
    expect((await on.load(new Map())).fingerprint).not.toBe(on.catalog.fingerprint);
  });
});

it('treats a table that no migration has created yet as one without regions', async () => {
  const loaded = await on.load(new Map([['public.nowhere', ['region']]]));
  expect(loaded.table('public', 'nowhere')).toBeUndefined();
});

it('treats a column that no migration has created yet as no region', async () => {
  const loaded = await on.load(new Map([['public.users', ['nowhere']]]));
  const names = loaded.table('public', 'users')?.dimensions.map(({ name }) => name);
  expect(names).toEqual(['id']);
});

describe('invalid regions', () => {
  it('leaves out a table that no migration has created yet', async () => {
    const { tables } = await on.load(new Map([['public.nowhere', ['region']]]));
    expect(tables.some(({ id }) => id === 'public.nowhere')).toBe(false);
  });

  it.each([
    ['public.users', 'price', /Column price of table public\.users.*numeric.*declare another/],
    ['public.users', 'short', /character\(2\)/],
    ['public.users', 'blurry', /collation that is not deterministic/],
    ['public.users', 'copy', /generated/],
  ])('refuses %s %s', async (table, column, message) => {
    await expect(on.load(new Map([[table, [column]]]))).rejects.toThrow(message);
  });
});
