import { beforeAll, describe, expect, it } from '@jest/globals';
import { readAnalyser, reading } from '../../../test/support/analysed-reads.js';
import { loadParser } from './syntax-tree.js';

beforeAll(loadParser);

describe('what is not cacheable', () => {
  it.each([
    ['SELECT * FROM users FOR UPDATE', 'locking-read'],
    ['SELECT * FROM (SELECT * FROM users FOR SHARE) u', 'locking-read'],
    ['SELECT * INTO copied FROM users', 'not-a-select'],
    ['WITH d AS (DELETE FROM users RETURNING *) SELECT * FROM d', 'not-a-select'],
    ['UPDATE users SET region = $1', 'not-a-select'],
    ['EXPLAIN SELECT 1', 'not-a-select'],
    ['', 'not-a-select'],
    ['-- nothing', 'not-a-select'],
    ['SELECT 1; SELECT 2', 'several-statements'],
    ['SELEC 1', 'unparsable'],
    [`SELECT ${'1 + '.repeat(20_000)}1`, 'unparsable'],
    ['SELECT * FROM users TABLESAMPLE BERNOULLI (10)', 'unparsable'],
    ["SELECT * FROM XMLTABLE('/a' PASSING $1 COLUMNS b int)", 'unparsable'],
    ["SELECT json_object('a': id) FROM users", 'unparsable'],
    ['SELECT now()', 'volatile-function'],
    ['SELECT pg_catalog.now()', 'volatile-function'],
    ['SELECT * FROM users WHERE score < now()', 'volatile-function'],
    ['SELECT random()', 'volatile-function'],
    ['SELECT current_date', 'volatile-function'],
    ['SELECT current_user', 'volatile-function'],
    ['SELECT age($1::timestamp)', 'volatile-function'],
    ["SELECT current_setting('a.b')", 'volatile-function'],
    ["SELECT nextval('s')", 'volatile-function'],
    ["SELECT 'now'::timestamptz", 'volatile-function'],
    ["SELECT date 'Tomorrow'", 'volatile-function'],
    ["SELECT * FROM users WHERE score < 'today 10:00'", 'volatile-function'],
    ['SELECT ctid FROM users', 'volatile-function'],
    ['SELECT u.xmin FROM users u', 'volatile-function'],
    ['SELECT writes(1)', 'volatile-function'],
    ['SELECT reads(1)', 'volatile-function'],
    ['SELECT lower(region) FROM users', 'volatile-function'],
    ['SELECT * FROM reads(1)', 'volatile-function'],
    ['SELECT * FROM users ORDER BY random()', 'volatile-function'],
    ['SELECT * FROM users LIMIT writes(1)', 'volatile-function'],
    ['SELECT count(*) FILTER (WHERE random() > 0) FROM users', 'volatile-function'],
    ['SELECT count(*) OVER (ORDER BY random()) FROM users', 'volatile-function'],
    ['SELECT count(*) OVER w FROM users WINDOW w AS (ORDER BY random())', 'volatile-function'],
    ['SELECT DISTINCT ON (random()) * FROM users', 'volatile-function'],
    ['SELECT u.fullname FROM users u', 'volatile-function'],
    ['SELECT (u).fullname FROM users u', 'volatile-function'],
    ['SELECT s.fullname FROM (SELECT * FROM users) s', 'volatile-function'],
    ['SELECT 1 ~~~ 2', 'volatile-function'],
    ['SELECT nowhere(1)', 'unknown-function'],
    ['SELECT 1 OPERATOR(public.?) 2', 'unknown-function'],
    ['SELECT 1 OPERATOR(nowhere.+) 2', 'unknown-function'],
    ['SELECT $1::users_role', 'unknown-function'],
    ["SELECT 'users'::regclass", 'unknown-function'],
    ['SELECT * FROM nowhere', 'unknown-table'],
    ['SELECT * FROM pg_class', 'unknown-table'],
    ['SELECT * FROM pg_catalog.pg_stat_activity', 'unknown-table'],
    ['SELECT * FROM pg_temp.users', 'unknown-table'],
    ['SELECT * FROM base.public.users', 'unknown-table'],
    ['SELECT * FROM part', 'unknown-table'],
    ['SELECT * FROM report', 'view'],
    ['SELECT * FROM summary', 'view'],
    ['SELECT * FROM remote', 'view'],
    ['SELECT * FROM secret', 'row-security'],
    ['SELECT 1 WHERE EXISTS (SELECT 1 FROM report)', 'view'],
  ])('%s', (sql, reason) => {
    expect(reading(sql)).toBe(reason);
  });

  it.each([
    ['SELECT to_char(score, $1), age($1, $2), pure(1), 1 <-> 2 FROM users WHERE id = 1'],
    ["SELECT 'nowhere', 'known' FROM users WHERE id = 1"],
    ['SELECT id::text, score::numeric(10, 2), $1::int[] FROM users WHERE id = 1'],
    ['SELECT u.* FROM users u WHERE u.id = 1'],
    ['SELECT s.username FROM (SELECT * FROM users WHERE id = 1) s'],
    ['SELECT unnest(ARRAY[1, 2]), (ARRAY[1])[1], ROW(1, 2) FROM users WHERE id = 1'],
    [
      'SELECT GREATEST(1, 2), NULLIF(1, 2), region COLLATE "C" FROM users WHERE id = 1 AND username ILIKE \'a%\'',
    ],
    ['SELECT GROUPING(region) FROM users WHERE id = 1 GROUP BY ROLLUP (region)'],
  ])('but this is: %s', (sql) => {
    expect(reading(sql)).toBe('users id=1');
  });
});

describe('rowPerKey', () => {
  const isRowPerKey = (sql: string): boolean => {
    const analysis = readAnalyser.read(sql);
    return analysis.cacheable && analysis.rowPerKey;
  };

  it.each([
    ['SELECT * FROM users WHERE id IN ($1, $2)'],
    ['SELECT id, $2::text, region::text FROM users WHERE id = $1 ORDER BY id LIMIT 1'],
    ['SELECT * FROM users WHERE id = $1 AND active'],
    ['SELECT * FROM members WHERE team = $1 AND number = $2'],
  ])('%s', (sql) => {
    expect(isRowPerKey(sql)).toBe(true);
  });

  it.each([
    ['SELECT * FROM users WHERE region = $1'],
    ['SELECT count(*) FROM users WHERE id = $1'],
    ['SELECT DISTINCT region FROM users WHERE id IN ($1, $2)'],
    ['SELECT unnest(ARRAY[1, 2]) FROM users WHERE id IN ($1, $2)'],
    ['SELECT id FROM users WHERE id IN ($1, $2) ORDER BY unnest(ARRAY[1, 2])'],
    ['SELECT 1 <-> 2 FROM users WHERE id = $1'],
    ['SELECT u.* FROM users u, orders o WHERE u.id = $1'],
    ['SELECT u.* FROM users u, unnest(ARRAY[1, 2]) WHERE u.id = $1'],
    ['SELECT * FROM users WHERE id = $1 UNION ALL SELECT * FROM users WHERE id = $2'],
    ['SELECT * FROM users WHERE id = $1 AND EXISTS (SELECT 1)'],
    ['SELECT * FROM (SELECT * FROM users WHERE id = $1) u'],
    ['SELECT id FROM users WHERE id IN (1, 2) GROUP BY ROLLUP (id)'],
  ])('not: %s', (sql) => {
    expect(isRowPerKey(sql)).toBe(false);
  });
});
