import { beforeAll, describe, expect, it } from 'vitest';
import { buildCatalog } from '../../../test/support/catalog-builder.js';
import type { ReadSet } from '../../core/read-set.js';
import { dependenciesOf } from './read-set-of-plan.js';
import { UnkeyableParameterError } from './canonical-encoding.js';
import { SqlAnalyser } from './sql-analyser.js';
import { loadParser } from './syntax-tree.js';

const catalog = buildCatalog({
  tables: {
    'public.users': {
      columns: { id: 'integer', region: 'text', email: 'text', seen: 'other' },
      dimensions: ['id', 'region'],
    },
    'public.members': {
      columns: { team: 'text', number: 'integer' },
      dimensions: ['team,number'],
    },
  },
});
const analyser = new SqlAnalyser(catalog);

beforeAll(loadParser);

function dependencies(sql: string, parameters: readonly unknown[] = []): ReadSet {
  const analysis = analyser.read(sql);
  if (!analysis.cacheable) throw new Error(analysis.detail);
  return dependenciesOf(analysis, parameters, catalog);
}

const names = (sql: string, parameters?: readonly unknown[]): readonly string[] | undefined =>
  dependencies(sql, parameters).tables[0]?.names;

describe('dependenciesOf', () => {
  it('depends on the region and on writes to unknown regions', () => {
    expect(dependencies('SELECT * FROM users WHERE region = $1 AND id > $2', ['US', 1])).toEqual({
      tables: [{ table: 'public.users', names: ['region=US', 'region?'] }],
      completeRowCount: undefined,
    });
  });

  it('depends on the primary key rather than on the region', () => {
    expect(dependencies('SELECT * FROM users WHERE region = $1 AND id = $2', ['US', '07'])).toEqual(
      {
        tables: [{ table: 'public.users', names: ['id=7', 'id?'] }],
        completeRowCount: 1,
      },
    );
  });

  it('counts distinct keys for the complete row count', () => {
    const sql = 'SELECT * FROM users WHERE id IN ($1, $2, $3)';
    expect(dependencies(sql, [10, '9', '+9'])).toEqual({
      tables: [{ table: 'public.users', names: ['id=10', 'id=9', 'id?'] }],
      completeRowCount: 2,
    });
  });

  it('has no complete row count if rows may be multiplied', () => {
    expect(dependencies('SELECT count(*) FROM users WHERE id = $1', [7])).toEqual({
      tables: [{ table: 'public.users', names: ['id=7', 'id?'] }],
      completeRowCount: undefined,
    });
  });

  it('depends on the whole table without a restriction', () => {
    expect(names('SELECT * FROM users')).toEqual(['*']);
  });

  it('widens from a value without canonical text to the next dimension, then to the table', () => {
    const sql = 'SELECT * FROM users WHERE id = $1 AND region = $2';
    expect(names(sql, ['7.0', 'US'])).toEqual(['region=US', 'region?']);
    expect(names(sql, ['7.0', 'US '])).toEqual(['*']);
    expect(names(sql, [7])).toEqual(['id=7', 'id?']);
    expect(names('SELECT * FROM users WHERE id = $1', [])).toEqual(['*']);
  });

  it('omits NULL, which nothing equals', () => {
    expect(names('SELECT * FROM users WHERE id IN ($1, $2)', [null, 7])).toEqual(['id=7', 'id?']);
    expect(names('SELECT * FROM users WHERE id = $1', [null])).toEqual(['id?']);
  });

  it('separates the columns of a composite key', () => {
    const sql = 'SELECT * FROM members WHERE number = $1 AND team = $2';
    expect(names(sql, [7, 'a'])).toEqual(['team%2Cnumber=["a","7"]', 'team%2Cnumber?']);
  });

  it('depends on every table', () => {
    const { tables } = dependencies('SELECT * FROM users, members WHERE users.id = 7');
    expect(tables.map(({ table, names: [name] }) => `${table} ${name}`)).toEqual([
      'public.users id=7',
      'public.members *',
    ]);
  });

  it.each([['now'], [' Today'], ['tomorrow 10:00'], [['2020-01-01', 'yesterday']]])(
    'refuses a parameter that may name a moment: %p',
    (moment) => {
      expect(() => names('SELECT * FROM users WHERE seen > $1', [moment])).toThrow(
        UnkeyableParameterError,
      );
    },
  );

  it('accepts such words in a comparison with a restricting text column', () => {
    expect(names('SELECT * FROM users WHERE region = $1', ['now'])).toEqual([
      'region=now',
      'region?',
    ]);
    expect(names('SELECT * FROM users WHERE seen > $1', ['known'])).toEqual(['*']);
  });
});
