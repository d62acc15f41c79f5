import { beforeAll, describe, expect, it } from 'vitest';
import type { QueryRunner } from 'typeorm';
import { buildCatalog } from '../../../test/support/catalog-builder.js';
import { SqlAnalyser } from '../../postgres/analysis/sql-analyser.js';
import { loadParser } from '../../postgres/analysis/syntax-tree.js';
import { StatementContext } from './statement-context.js';
import { effectOf } from './written-tables.js';

const columns = { id: 'integer', region: 'text' } as const;
const table = { columns, dimensions: ['id', 'region'] };

/** Tables without triggers are called `plain`. */
const catalog = buildCatalog({
  tables: {
    'public.users': table,
    'public.plain': table,
    'public.parents': {
      ...table,
      referencedBy: ['public.users', 'public.plain'],
    },
    'public.grandparents': {
      ...table,
      referencedBy: ['public.parents'],
    },
    'public.watched': { ...table, sideEffects: ['write'] },
    'public.over_watched': {
      ...table,
      referencedBy: ['public.watched'],
    },
    'public.logs': { ...table, kind: 'partitioned', relatives: ['public.logs_1'] },
    'public.logs_1': {
      ...table,
      relatives: ['public.logs'],
      referencedBy: ['public.plain'],
    },
    'public.view': { columns, kind: 'view' },
  },
  functions: { 'public.writes': 'volatile' },
});
const analyser = new SqlAnalyser(catalog);

beforeAll(loadParser);

/** The effect of the statement with this answer, after notices of the triggers of the given tables. */
function effect(sql: string, answer: unknown, ...noticed: readonly string[]) {
  const statement = new StatementContext({} as QueryRunner, sql, []);
  statement.analysis = analyser.statement(sql);
  statement.sessionCatalog = catalog;
  for (const name of noticed) statement.noticed.add(`public.${name}`);
  const hasTriggers = ({ name }: { name: string }): boolean => name !== 'plain';
  const { withoutTriggers, ...others } = effectOf(statement, answer, hasTriggers);
  return { ...others, withoutTriggers: withoutTriggers.map(({ name }) => name) };
}

const nothing = { isAnything: false, mayHaveMore: false, withoutTriggers: [], silent: [] };
const whole = { ...nothing, withoutTriggers: ['plain'] };
const open = { ...nothing, mayHaveMore: true };
const rows = (rowCount: number | null) => ({ rowCount, rows: [] });

describe('a write to a table with triggers', () => {
  it('adds nothing to the notices of the triggers', () => {
    expect(effect('UPDATE users SET id = 1', rows(1), 'users')).toEqual(nothing);
  });

  it('has no effect if its answer counts no row', () => {
    expect(effect('UPDATE users SET id = 1', rows(0))).toEqual(nothing);
  });

  it.each([
    ['UPDATE users SET id = 1', rows(1)],
    ['INSERT INTO users (id) VALUES (1)', rows(1)],
    ['COPY users FROM STDIN', rows(2)],
    ['TRUNCATE users', rows(null)],
    ['SELECT 1; DELETE FROM users', [rows(1), rows(1)]],
  ])(
    'is a write to all tables if its answer counts rows and no notice arrived: %s',
    (sql, answer) => {
      const silent = { ...nothing, isAnything: true, silent: ['public.users'] };
      expect(effect(sql, answer)).toEqual(silent);
    },
  );

  it.each([
    ['WITH a AS (DELETE FROM users RETURNING id) SELECT * FROM a', rows(1)],
    ['EXPLAIN ANALYZE DELETE FROM users', rows(3)],
    ['DELETE FROM users', undefined],
  ])(
    'queries the server if no notice arrived and the answer does not count its rows: %s',
    (sql, answer) => {
      expect(effect(sql, answer)).toEqual(open);
    },
  );

  it('queries the server if a user trigger or rule may act on the table', () => {
    expect(effect('UPDATE watched SET id = 1', rows(1))).toEqual(open);
    expect(effect('UPDATE watched SET id = 1', rows(1), 'watched')).toEqual(open);
    expect(effect('UPDATE watched SET id = 1', rows(0))).toEqual(open);
    expect(effect('DELETE FROM watched', rows(1), 'watched')).toEqual(open);
    expect(effect('DELETE FROM over_watched', rows(1), 'over_watched')).toEqual(open);
  });
});

describe('a table without triggers', () => {
  it('is written as a whole if a write names it, unless the answer counts no row', () => {
    expect(effect('UPDATE plain SET id = 1', rows(1))).toEqual(whole);
    expect(effect('UPDATE plain SET id = 1', rows(0))).toEqual(nothing);
    expect(effect('TRUNCATE plain', rows(null))).toEqual(whole);
  });

  it('makes a write query the server if foreign keys lead to the table', () => {
    expect(effect('DELETE FROM parents', rows(1), 'parents')).toEqual(open);
    expect(effect('DELETE FROM grandparents', rows(1), 'grandparents')).toEqual(open);
    expect(effect('UPDATE grandparents SET id = 1', rows(1), 'grandparents')).toEqual(open);
    expect(effect('UPDATE parents SET id = 1', rows(1), 'parents')).toEqual(open);
    expect(effect('INSERT INTO parents VALUES (1)', rows(1), 'parents')).toEqual(nothing);
    expect(effect('TRUNCATE parents CASCADE', rows(null), 'parents')).toEqual(open);
  });

  it('makes a write query the server if a row may move to another partition', () => {
    expect(effect('UPDATE logs SET region = $1', rows(1), 'logs')).toEqual(open);
  });
});

describe('a write with unknown targets', () => {
  it.each(['SELECT writes()', 'DELETE FROM view', 'DELETE FROM nowhere', 'EXECUTE prepared'])(
    'queries the server: %s',
    (sql) => {
      expect(effect(sql, rows(1))).toEqual(open);
    },
  );

  it('may have changed any table if it changes the schema', () => {
    expect(effect('DROP TABLE users', rows(null)).isAnything).toBe(true);
  });
});
