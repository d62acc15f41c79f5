import { beforeAll, describe, expect, it } from 'vitest';
import { readAnalyser, reading } from '../../../test/support/analysed-reads.js';
import { loadParser } from './syntax-tree.js';

beforeAll(loadParser);

describe('uncacheable statements', () => {
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
    ['SELECT * FROM users TABLESAMPLE BERNOULLI (10)', 'volatile-function'],
    ['SELECT * FROM users TABLESAMPLE SYSTEM (10) REPEATABLE (1)', 'volatile-function'],
    ['SELECT now()', 'volatile-function'],
    ['SELECT pg_catalog.now()', 'volatile-function'],
    ['SELECT * FROM users WHERE score < now()', 'volatile-function'],
    ['SELECT random()', 'volatile-function'],
    ['SELECT current_date', 'volatile-function'],
    ['SELECT current_time', 'volatile-function'],
    ['SELECT current_schema', 'volatile-function'],
    ['SELECT age($1::timestamp)', 'volatile-function'],
    ["SELECT current_setting('a.b')", 'volatile-function'],
    ["SELECT nextval('s')", 'volatile-function'],
    ["SELECT 'now'::timestamptz", 'volatile-function'],
    ["SELECT date 'Tomorrow'", 'volatile-function'],
    ["SELECT * FROM users WHERE score < 'today 10:00'", 'volatile-function'],
    ['SELECT ctid FROM users', 'volatile-function'],
    ['SELECT u.xmin FROM users u', 'volatile-function'],
    ['SELECT (u).xmax FROM users u', 'volatile-function'],
    ["SELECT id FROM users WHERE (users).xmax = '0'", 'volatile-function'],
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
    ['SELECT * FROM pg_temp.users', 'temporary-table'],
    ['SELECT * FROM base.public.users', 'unknown-table'],
    ['SELECT * FROM remote', 'foreign-table'],
    ['SELECT * FROM half_remote', 'foreign-table'],
    ['SELECT * FROM scratch', 'unlogged-table'],
    ['SELECT * FROM users JOIN scratched USING (id)', 'unlogged-table'],
    ['SELECT * FROM tenants', 'row-security'],
    ['SELECT * FROM of_owned', 'row-security'],
    ['SELECT * FROM moving', 'volatile-function'],
    ['SELECT * FROM endless', 'view'],
    ["SELECT * FROM json_table($1, '$[*]' COLUMNS (day date PATH '$'))", 'volatile-function'],
    ['SELECT * FROM to_jsonb($1) AS x(day date)', 'volatile-function'],
    ["SELECT * FROM XMLTABLE('/a' PASSING $1 COLUMNS b timestamptz)", 'volatile-function'],
    ['SELECT * FROM ROWS FROM (unnest(ARRAY[1]), reads(1))', 'volatile-function'],
    ["SELECT json_object('at': now())", 'volatile-function'],
    ['SELECT username::date FROM users', 'volatile-function'],
    ["SELECT ('to' || username)::timestamptz FROM users", 'volatile-function'],
    ['SELECT lower(username)::date FROM other.users, users', 'volatile-function'],
    ['SELECT s.t::date FROM (SELECT username AS t FROM users) s', 'volatile-function'],
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
  ])('cacheable: %s', (sql) => {
    expect(reading(sql)).toBe('users id=1');
  });
});

describe('the read set behind views, policies and other clauses', () => {
  it.each([
    ['SELECT * FROM report', 'users region="US"'],
    ['SELECT * FROM report WHERE id = $1', 'users region="US"'],
    ['SELECT * FROM report, users WHERE users.id = $1', 'users'],
    ['SELECT * FROM nested', 'users region="US"; orders'],
    ['SELECT 1 WHERE EXISTS (SELECT 1 FROM report)', 'users region="US"'],
    ['WITH users AS (SELECT 1 AS id) SELECT * FROM report', 'users region="US"'],
    ['SELECT * FROM summary', 'summary'],
    ['SELECT * FROM part WHERE region = $1', 'part region=$1'],
    ['SELECT * FROM whole WHERE id = $1', 'whole id=$1'],
    ['SELECT * FROM ONLY whole', 'whole'],
    ['SELECT * FROM secret WHERE id = $1', 'members; secret id=$1'],
    ['SELECT * FROM owned', 'owned'],
    ['SELECT tableoid FROM whole', 'whole'],
    ['SELECT current_user, session_user, current_catalog', ''],
  ])('%s', (sql, expected) => {
    expect(reading(sql)).toBe(expected);
  });

  it.each([
    [
      "SELECT * FROM json_table($1, '$[*]' PASSING 1 AS x COLUMNS (a int PATH '$.a', NESTED PATH '$.b' COLUMNS (c text))) j, users WHERE users.id = 1",
    ],
    [
      "SELECT * FROM users, XMLTABLE('/a' PASSING $1 COLUMNS b int PATH 'x' DEFAULT 1, n FOR ORDINALITY) x WHERE users.id = 1",
    ],
    [
      "SELECT json_object('a': id), json_array(1, 2), JSON_VALUE($1, '$.a' RETURNING int), json_arrayagg(id ORDER BY id), json_objectagg('a': id), $1 IS JSON, JSON($1), JSON_SCALAR(1) FROM users WHERE id = 1 GROUP BY id",
    ],
    [
      'SELECT xmlelement(name a, xmlattributes(id AS b)), xmlserialize(content $1 AS text) FROM users WHERE id = 1',
    ],
    ['SELECT * FROM users, to_jsonb($1) AS x(a int, b text) WHERE users.id = 1'],
    [
      'SELECT * FROM users, ROWS FROM (unnest(ARRAY[1]), pure(1)) WITH ORDINALITY AS r(a, b, c) WHERE users.id = 1',
    ],
    ['SELECT * FROM users WHERE id = 1 ORDER BY region FETCH FIRST 1 ROW WITH TIES'],
    ['SELECT DISTINCT ON (region) * FROM users WHERE id = 1'],
    ['SELECT region FROM users WHERE id = 1 GROUP BY GROUPING SETS ((region), ())'],
    [
      'WITH RECURSIVE t AS (SELECT id AS n FROM users WHERE id = 1 UNION ALL SELECT n + 1 FROM t) SEARCH DEPTH FIRST BY n SET o CYCLE n SET c USING p SELECT * FROM t',
    ],
    [
      'SELECT score::date, $1::date, max(score)::timestamptz, (score + 1)::date FROM users WHERE id = 1 GROUP BY score',
    ],
    ["SELECT date_trunc('day', score)::date, '2026-01-01'::text::date FROM users WHERE id = 1"],
    [
      'SELECT ROW(id, region) = ROW(1, $1), ARRAY[id] @> $2, (ARRAY[1, 2])[1:2] FROM users WHERE id = 1',
    ],
  ])('%s', (sql) => {
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
    ['SELECT * FROM whole WHERE id = $1'],
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
    // Its definition may multiply rows.
    ['SELECT * FROM twice'],
    // Inheriting tables may have the same keys.
    ['SELECT * FROM part WHERE id = $1'],
  ])('not: %s', (sql) => {
    expect(isRowPerKey(sql)).toBe(false);
  });
});
