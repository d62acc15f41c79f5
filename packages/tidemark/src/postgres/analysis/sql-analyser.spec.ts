import { beforeAll, describe, expect, it } from 'vitest';
import { buildCatalog } from '../../../test/support/catalog-builder.js';
import { SqlAnalyser } from './sql-analyser.js';
import { loadParser } from './syntax-tree.js';

const catalog = buildCatalog({ tables: {} });

beforeAll(loadParser);

it.each([
  ['SELECT 1', true],
  ['VALUES (1)', true],
  ['WITH gone AS (DELETE FROM t RETURNING *) SELECT * FROM gone', true],
  ['SELEKT 1', true],
  ['WITH one AS (SELECT 1) DELETE FROM t', false],
  ['EXPLAIN SELECT 1', false],
  ['SELECT 1; SELECT 2', false],
  ['', false],
])('says whether a text is one SELECT, or not for it to decide: %s: %s', (sql, expected) => {
  expect(new SqlAnalyser(catalog).isSelect(sql)).toBe(expected);
});

describe('texts that the analyser caches', () => {
  it('returns the same analysis after a text was evicted', () => {
    const small = new SqlAnalyser(catalog, 1);
    const first = small.read('SELECT 1');
    expect(small.read('SELECT 1')).toBe(first);
    small.read('SELECT 2');
    expect(small.read('SELECT 1')).not.toBe(first);
    expect(small.read('SELECT 1')).toEqual(first);
  });

  it('does not cache very long texts', () => {
    const sql = `SELECT '${'x'.repeat(200_000)}'`;
    const analyser = new SqlAnalyser(catalog);
    expect(analyser.read(sql)).not.toBe(analyser.read(sql));
  });
});
