import { beforeAll, describe, expect, it } from 'vitest';
import { readAnalyser } from '../../../test/support/analysed-reads.js';
import { SqlAnalyser } from './sql-analyser.js';
import { loadParser } from './syntax-tree.js';
import { whyValuesUnknown } from './whole-table-reasons.js';
import { buildCatalog } from '../../../test/support/catalog-builder.js';

beforeAll(loadParser);

const why = (sql: string): Record<string, string> =>
  Object.fromEntries(
    [...readAnalyser.whyWhole(sql)].map(([table, reason]) => [
      table.replace('public.', ''),
      reason,
    ]),
  );

describe('why tables count whole', () => {
  it.each([
    [
      'no condition',
      'SELECT * FROM users',
      'no condition restricts users to values of id or region',
    ],
    [
      'conditions on other columns',
      'SELECT * FROM users u WHERE u.email = $1 AND u.id > 5',
      'no condition restricts u to values of id or region',
    ],
    [
      'a key of two columns',
      'SELECT * FROM members WHERE team = $1',
      'no condition restricts members to values of team and number or region',
    ],
    [
      'OR with a condition that restricts nothing',
      "SELECT * FROM users WHERE id = 1 OR email = 'x'",
      'no condition restricts users to values of id or region',
    ],
    [
      'a parameter that is used with another type',
      'SELECT * FROM users WHERE id = $1 AND score > $1',
      '$1 restricts users.id, but is also used where its type may be another',
    ],
    [
      'one of two references',
      'SELECT * FROM users a JOIN users b ON b.email = a.email WHERE a.id = 1',
      '1 of 2 references are restricted; no condition restricts b to values of id or region',
    ],
    [
      'more than 100 values',
      `SELECT * FROM users WHERE id IN (${Array.from({ length: 101 }, (_, id) => id).join(', ')})`,
      'the conditions name more than 100 values of users.id',
    ],
  ])('%s', (_title, sql, reason) => {
    expect(Object.values(why(sql))).toEqual([reason]);
  });

  it('a joined table: the columns of the join are named', () => {
    expect(
      why('SELECT * FROM orders o LEFT JOIN users u ON u.id = o.user_id WHERE o.region = $1'),
    ).toEqual({
      users: 'u is joined by u.id = o.user_id, and no condition restricts either to values',
    });
  });

  it('a table without key and region: its types are named', () => {
    const catalog = buildCatalog({
      tables: { 'public.log': { columns: { at: 'other' }, dimensions: [], primaryKey: undefined } },
    });
    expect([...new SqlAnalyser(catalog).whyWhole('SELECT * FROM log')]).toEqual([
      [
        'public.log',
        'public.log has no primary key and no @CacheRegion column of type text, integer, uuid or boolean',
      ],
    ]);
  });

  it('restricted tables and uncacheable texts: no reason', () => {
    expect(why('SELECT * FROM users WHERE region = $1')).toEqual({});
    expect(why('SELECT now() FROM users')).toEqual({});
    expect(why('DELETE FROM users')).toEqual({});
    expect(why('SELEC')).toEqual({});
  });
});

describe('why values are unknown', () => {
  const reasonFor = (sql: string, ...parameters: unknown[]): string => {
    const analysis = readAnalyser.read(sql);
    const [read] = analysis.cacheable ? analysis.tables : [];
    if (!read) throw new Error(`${sql} is not cacheable.`);
    return whyValuesUnknown(read, parameters);
  };

  it('a value that is none of the type of its column', () => {
    expect(reasonFor('SELECT * FROM users WHERE id = $1', 'seven')).toBe(
      'a value given for id is none of its type',
    );
  });

  it('a list of more than 100 values', () => {
    const ids = Array.from({ length: 101 }, (_, id) => id);
    expect(reasonFor('SELECT * FROM users WHERE id = ANY ($1)', ids)).toBe(
      'more than 100 values of id are given',
    );
  });
});
