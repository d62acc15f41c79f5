/** Real: PostgreSQL. The tables as the catalog describes them. */
import { describe, expect, it } from 'vitest';
import { LoadedCatalog } from '../fixtures/loaded-catalog.js';

const on = new LoadedCatalog();

describe('tables', () => {
  it('knows how the values of each column compare', () => {
    const kinds = [...on.facts('public.users').columns.values()].map(({ name, kind }) => [
      name,
      kind,
    ]);
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
    expect([...on.facts('public.users').columns.keys()].slice(0, 4)).toEqual([
      'id',
      'username',
      'region',
      'short',
    ]);
  });

  it('has the primary key first, then the regions', () => {
    const { dimensions, primaryKey } = on.facts('public.users');
    expect(primaryKey).toBe('id');
    expect(dimensions.map(({ name }) => name)).toEqual(['id', 'region', 'active']);
  });

  it('has a key of several columns in the order of the key', () => {
    expect(on.facts('shop.orders')).toMatchObject({
      primaryKey: 'shop,number',
      dimensions: [{ name: 'shop,number', columns: ['shop', 'number'] }],
    });
  });

  it('leaves out a key that does not prove uniqueness', () => {
    expect(on.facts('shop.lines')).toMatchObject({ primaryKey: undefined, dimensions: [] });
  });

  it('knows the tables with foreign keys to a table', () => {
    expect(on.facts('public.users').referencedBy).toEqual(['shop.notes', 'shop.orders']);
    expect(on.facts('shop.orders').referencedBy).toEqual(['shop.lines']);
    expect(on.facts('public.tree').referencedBy).toEqual(['public.tree']);
    expect(on.facts('shop.notes').referencedBy).toEqual([]);
  });

  it.each([
    ['public.users', 'table'],
    ['public.logs', 'partitioned'],
    ['public.still', 'view'],
    ['public.kept', 'materialized-view'],
  ])('%s is a %s', (id, kind) => {
    expect(on.facts(id).kind).toBe(kind);
  });

  it('knows partition and inheritance families over all levels', () => {
    const families = on.catalog.tables
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

  it('has the queries of views and their source tables', () => {
    expect(on.facts('public.over_stirring')).toMatchObject({ sources: ['public.stirring'] });
    expect(on.facts('public.still').definition?.replace(/\s+/g, ' ').trim()).toBe(
      'SELECT id FROM users WHERE (reads(id) = 1);',
    );
    expect(on.facts('public.elsewhere')).toMatchObject({
      sources: ['public.users', 'shop.users'],
      definition: expect.stringContaining('shop.users'),
    });
    expect(on.facts('public.kept').definition).toContain('1 AS id');
    expect(on.facts('public.users')).toMatchObject({ definition: undefined, sources: [] });
  });

  it('knows whether policies apply to the current role', async () => {
    expect(on.facts('public.secret')).toMatchObject({
      isRowSecured: true,
      hasRowSecurity: false, // to a superuser they do not
      policies: ['(id > 0)', "pg_has_role('reader'::name, 'USAGE'::text)"],
    });
    await on.client.query('SET ROLE reader');
    const other = await on.load();
    await on.client.query('RESET ROLE');
    expect(other.table('public', 'secret')).toMatchObject({ hasRowSecurity: true });
    expect(other.fingerprint).not.toBe(on.catalog.fingerprint);
  });

  it('knows the tables on which a statement changes more than it names', () => {
    const acting = on.catalog.tables
      .filter(({ sideEffects }) => sideEffects.size > 0)
      .map(({ name, sideEffects }) => [name, [...sideEffects].join(' ')]);
    expect(Object.fromEntries(acting)).toEqual({
      checked: 'write',
      comparing: 'read',
      defaulting: 'write',
      guarded: 'read write',
      over_guarded: 'read',
      over_stirring: 'read',
      ranging: 'write',
      ruled: 'write',
      still: 'read', // its function is STABLE, and may call what writes
      stirring: 'read',
      triggered: 'write',
      truncated: 'write',
      users: 'write', // it has types of users, and the check of one of these may write
    });
  });

  it('contains no system table', () => {
    expect(new Set(on.catalog.tables.map(({ schema }) => schema))).toEqual(
      new Set(['public', 'shop']),
    );
  });
});
