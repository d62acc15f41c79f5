import { beforeAll, describe, expect, it } from 'vitest';
import { reading } from '../../../test/support/analysed-reads.js';
import { loadParser } from './syntax-tree.js';

beforeAll(loadParser);

describe('restrictions of one table', () => {
  it.each([
    ['SELECT * FROM users', 'users'],
    ['SELECT * FROM users WHERE id = $1', 'users id=$1'],
    ['SELECT * FROM users WHERE $1 = id', 'users id=$1'],
    ['SELECT * FROM users WHERE region = $1 AND id > $2 ORDER BY id LIMIT 1000', 'users region=$1'],
    [
      'SELECT "User"."id" AS "User_id" FROM "users" "User" WHERE "User"."region" = $1 AND "User"."id" > $2 ORDER BY "User"."id" ASC LIMIT 1000',
      'users region=$1',
    ],
    ['SELECT * FROM users WHERE (region = $1 AND (id = $2))', 'users id=$2 | region=$1'],
    ['SELECT * FROM users WHERE id IN ($1, 2, $3)', 'users id=$1,2,$3'],
    ['SELECT * FROM users WHERE id IN (1, NULL)', 'users id=1'],
    ['SELECT * FROM users WHERE id = NULL', 'users id='],
    ["SELECT * FROM users WHERE region = 'US'", 'users region="US"'],
    ["SELECT * FROM users WHERE region = 'US'::text", 'users region="US"'],
    ['SELECT * FROM users WHERE region = $1::varchar', 'users region=$1'],
    ['SELECT * FROM users WHERE region = CAST($1 AS character varying)', 'users region=$1'],
    ['SELECT * FROM users WHERE region::text = $1', 'users region=$1'],
    ['SELECT * FROM users WHERE id = $1::bigint', 'users id=$1'],
    ['SELECT * FROM users WHERE id = 12345678901', 'users id="12345678901"'],
    ['SELECT * FROM users WHERE id OPERATOR(pg_catalog.=) $1', 'users id=$1'],
    ['SELECT * FROM users WHERE id = 1 AND id IN (1, 2)', 'users id=1'],
    ['SELECT * FROM ONLY users WHERE id = 1', 'users id=1'],
    ['SELECT * FROM public.users WHERE public.users.id = 1', 'users id=1'],
    ['SELECT region, count(*) FROM users GROUP BY region HAVING count(*) > 1', 'users'],
    ['SELECT DISTINCT region FROM users WHERE id = $1 -- $2\n', 'users id=$1'],
    ['SELECT count(*) FILTER (WHERE active) FROM users WHERE region = $1', 'users region=$1'],
    [
      'SELECT row_number() OVER (PARTITION BY region ORDER BY id) FROM users WHERE id = $1',
      'users id=$1',
    ],
    [
      'SELECT CASE WHEN active THEN 1 ELSE 0 END FROM users WHERE id = 1 LIMIT 1 OFFSET $1',
      'users id=1',
    ],
    ['SELECT u FROM users AS u WHERE u.id = $1', 'users id=$1'],
    ['SELECT * FROM members WHERE team = $1 AND number = $2', 'members team,number=$1/$2'],
    [
      'SELECT * FROM members WHERE team IN ($1, $2) AND number IN (1, 2)',
      'members team,number=$1/1,$1/2,$2/1,$2/2',
    ],
    ['SELECT * FROM users WHERE id = ANY($1)', 'users id=$1[]'],
    ['SELECT * FROM users WHERE id = ANY($1::int[])', 'users id=$1[]'],
    ['SELECT * FROM users WHERE region = ANY(ARRAY[$1, $2]::text[])', 'users region=$1,$2'],
    [
      "SELECT * FROM users WHERE region::text = ANY ((ARRAY['US'::character varying])::text[])",
      'users region="US"',
    ],
    ['SELECT * FROM users WHERE id = $1 OR id = $2', 'users id=$1,$2'],
    [
      'SELECT * FROM users WHERE (id = $1 AND active) OR (region = $3 AND id = ANY($2))',
      'users id=$1,$2[]',
    ],
    ['SELECT * FROM users WHERE (id = 1 OR region = $1) AND region = $2', 'users region=$2'],
    ['SELECT * FROM users WHERE (id, region) = ($1, $2)', 'users id=$1 | region=$2'],
    [
      'SELECT * FROM users WHERE (region, id) IN (($1, $2), ($3, 4))',
      'users id=$2,4 | region=$1,$3',
    ],
    [
      'SELECT * FROM members WHERE (team = $1 AND number = $2) OR (team = $3 AND number = $4)',
      'members team,number=$1/$2,$1/$4,$3/$2,$3/$4',
    ],
    ['SELECT * FROM "Odd.Name" WHERE "the.id" = $1', 'Odd.Name the.id=$1'],
    ['SELECT * FROM "Odd.Name" n WHERE n."Region" = $1', 'Odd.Name Region=$1'],
    ['SELECT * FROM USERS WHERE ID = $1', 'users id=$1'],
    ['SELECT 1', ''],
    ['VALUES (1, $1)', ''],
  ])('%s', (sql, expected) => {
    expect(reading(sql)).toBe(expected);
  });
});

describe('conditions that restrict nothing', () => {
  it.each([
    ['SELECT * FROM users WHERE id = $1 OR region = $2'],
    ['SELECT * FROM users WHERE id = $1 OR id > $2'],
    ['SELECT * FROM users WHERE id = $1 OR id IS NULL'],
    ['SELECT * FROM users WHERE NOT (id = 1 OR id = 2)'],
    ['SELECT * FROM users u WHERE u.id = $1 OR EXISTS (SELECT 1)'],
    ['SELECT * FROM users WHERE NOT (id = $1)'],
    ['SELECT * FROM users WHERE NOT id = 1'],
    ['SELECT * FROM users WHERE id <> 1'],
    ['SELECT * FROM users WHERE id NOT IN (1, 2)'],
    ['SELECT * FROM users WHERE (id = 1) IS NOT TRUE'],
    ['SELECT * FROM users WHERE (id = 1) IS NULL'],
    ['SELECT * FROM users WHERE CASE WHEN active THEN id = 1 END'],
    ['SELECT * FROM users WHERE coalesce(id = 1, true)'],
    ['SELECT * FROM users WHERE id IS NOT DISTINCT FROM $1'],
    ['SELECT * FROM users WHERE id <> ANY($1)'],
    ['SELECT * FROM users WHERE id = ALL($1)'],
    ['SELECT * FROM users WHERE id = ANY($1::numeric[])'],
    ["SELECT * FROM users WHERE id = ANY('{1,2}'::int[])"],
    ['SELECT * FROM users WHERE id = ANY($1 || $2)'],
    ['SELECT * FROM users WHERE region = ANY($1::varchar(2)[])'],
    ['SELECT $1::float8[] FROM users WHERE id = ANY($1)'],
    ['SELECT * FROM users WHERE id = id'],
    ['SELECT * FROM users WHERE id = 1 + 1'],
    ['SELECT * FROM users WHERE id + 0 = 1'],
    ['SELECT * FROM users WHERE upper(region) = $1'],
    ['SELECT * FROM users WHERE region COLLATE "C" = \'US\''],
    ['SELECT * FROM users WHERE region = \'US\' COLLATE "C"'],
    ["SELECT * FROM users WHERE region LIKE 'US'"],
    ['SELECT * FROM users WHERE id BETWEEN 1 AND 1'],
    ['SELECT * FROM users WHERE id = 1.0'],
    ['SELECT * FROM users WHERE id = $1::numeric'],
    ['SELECT * FROM users WHERE region = $1::char(2)'],
    ['SELECT * FROM users WHERE region = $1::varchar(2)'],
    ['SELECT * FROM users WHERE region::char(1) = $1'],
    ['SELECT * FROM users WHERE id::text = $1'],
    ['SELECT * FROM users WHERE (id, region) < ($1, $2)'],
    ['SELECT * FROM users WHERE (score, email) = ($1, $2)'],
    ['SELECT * FROM users WHERE (id, region) = (SELECT 1, $1)'],
    ['SELECT * FROM users WHERE score = $1'],
    ['SELECT * FROM users GROUP BY id HAVING id = 1'],
    ['SELECT * FROM users AS u(region, username) WHERE region = $1'],
    ['SELECT id = 1 FROM users'],
    ['SELECT count(*) FILTER (WHERE id = 1) FROM users'],
    [`SELECT * FROM users WHERE id IN (${Array.from({ length: 101 }, (_, i) => i).join()})`],
    // The other place may determine the parameter's type.
    ['SELECT $1::float8 FROM users WHERE id = $1'],
    ['SELECT * FROM users WHERE score = $1 AND id = $1'],
    ['SELECT lower($1) FROM public.users WHERE region = $1'].map((sql) =>
      sql.replace('lower', 'upper'),
    ),
    ['SELECT * FROM users WHERE id = $1 LIMIT $1'],
  ])('%s', (sql) => {
    expect(reading(sql)).toBe('users');
  });

  it('proves nothing with a key of which one column is unrestricted', () => {
    expect(reading('SELECT * FROM members WHERE team = $1')).toBe('members');
  });
});

describe('several references', () => {
  it.each([
    ['SELECT * FROM users u, orders o WHERE u.id = $1', 'users id=$1; orders'],
    [
      'SELECT * FROM users u JOIN orders o ON u.id = o.user_id WHERE u.id = $1',
      'users id=$1; orders user_id=$1',
    ],
    [
      'SELECT * FROM users u JOIN orders o ON u.id = o.user_id AND o.region = $2 WHERE u.id = $1',
      'users id=$1; orders user_id=$1 | region=$2',
    ],
    [
      'SELECT * FROM users u, orders o, orders p WHERE u.id = o.user_id AND o.user_id = p.user_id AND p.user_id = $1',
      'users id=$1; orders user_id=$1',
    ],
    ['SELECT * FROM users a JOIN users b ON a.id = $1 AND b.id = $2', 'users id=$1,$2'],
    ['SELECT * FROM users a JOIN users b ON a.id = $1', 'users'],
    ['SELECT * FROM users a, users b WHERE a.id = 1 AND b.region = $1', 'users'],
    // ON of an outer join drops no row of the outer side.
    [
      'SELECT * FROM users u LEFT JOIN orders o ON o.user_id = u.id AND u.id = $1',
      'users; orders user_id=$1',
    ],
    [
      'SELECT * FROM users u LEFT JOIN orders o ON o.user_id = u.id AND o.region = $2 WHERE u.id = $1',
      'users id=$1; orders user_id=$1 | region=$2',
    ],
    [
      'SELECT * FROM users u LEFT JOIN orders o ON o.user_id = u.id WHERE o.region = $1',
      'users; orders region=$1',
    ],
    ['SELECT * FROM orders o RIGHT JOIN users u ON o.region = $1', 'orders region=$1; users'],
    ['SELECT * FROM users u FULL JOIN orders o ON u.id = 1 AND o.id = 2', 'users; orders'],
    ['SELECT * FROM users u FULL JOIN orders o ON true WHERE u.id = 1', 'users id=1; orders'],
    [
      'SELECT * FROM users u LEFT JOIN (orders o JOIN members m ON o.id = 3) ON true',
      'users; orders id=3; members',
    ],
    [
      'SELECT * FROM (users u JOIN orders o ON u.id = 4) LEFT JOIN members m ON m.number = u.id AND m.team = $1',
      'users id=4; orders; members team,number=$1/4',
    ],
    [
      'SELECT * FROM (users u LEFT JOIN orders o ON u.id = 4) JOIN members m ON m.number = u.id AND m.team = $1',
      'users; orders; members',
    ],
    [
      'SELECT * FROM (users u FULL JOIN orders o ON u.id = 4) JOIN members m ON m.number = u.id AND m.team = $1',
      'users; orders; members',
    ],
    [
      'SELECT * FROM (orders o RIGHT JOIN users u ON u.id = 4) JOIN members m ON m.number = u.id AND m.team = $1',
      'orders; users; members',
    ],
    ['SELECT * FROM users JOIN orders USING (id) WHERE id = $1', 'users; orders'],
    ['SELECT * FROM users NATURAL JOIN orders WHERE region = $1', 'users; orders'],
    ['SELECT * FROM users, orders WHERE username = $1 AND region = $2', 'users; orders'],
    ['SELECT * FROM users, orders WHERE user_id = $1', 'users; orders user_id=$1'],
    ['SELECT * FROM users CROSS JOIN orders WHERE users.id = $1', 'users id=$1; orders'],
    ['SELECT * FROM (users u JOIN orders o ON true) AS j WHERE u.id = $1', 'users; orders'],
    ['SELECT * FROM users, other.users WHERE users.id = $1', 'users; other.users'],
    ['SELECT * FROM users, other.users WHERE public.users.id = $1', 'users id=$1; other.users'],
    ['SELECT * FROM users, (SELECT 1 AS x) s WHERE id = $1', 'users'],
    ['SELECT * FROM users WHERE id = $1 UNION SELECT * FROM users WHERE id = $2', 'users id=$1,$2'],
    ['SELECT id FROM users WHERE id = $1 EXCEPT SELECT id FROM users', 'users'],
    [
      '(SELECT id FROM users WHERE id = 1 LIMIT 1) UNION ALL SELECT id FROM orders ORDER BY id',
      'users id=1; orders',
    ],
    // The ON clause refers to the outer query's u, not to the one joined later.
    [
      'SELECT (SELECT count(*) FROM users a JOIN users b ON b.id = u.id, users u WHERE a.id = 1 AND u.id = 1) FROM users u WHERE u.id = 1',
      'users',
    ],
  ])('%s', (sql, expected) => {
    expect(reading(sql)).toBe(expected);
  });
});

describe('subqueries and common table expressions', () => {
  it.each([
    ['SELECT * FROM (SELECT * FROM users WHERE id = $1) u', 'users id=$1'],
    ['SELECT * FROM (SELECT * FROM users) u WHERE u.id = $1', 'users'],
    [
      'SELECT * FROM users u WHERE u.id = $1 AND EXISTS (SELECT 1 FROM orders)',
      'users id=$1; orders',
    ],
    [
      'SELECT * FROM users u WHERE u.id = $1 AND EXISTS (SELECT 1 FROM users u WHERE u.region = $2)',
      'users',
    ],
    [
      'SELECT * FROM users u WHERE EXISTS (SELECT 1 FROM orders o WHERE u.id = $1)',
      'users; orders',
    ],
    [
      'SELECT * FROM users WHERE id IN (SELECT user_id FROM orders WHERE id = $1)',
      'users; orders id=$1',
    ],
    ['SELECT (SELECT count(*) FROM orders o WHERE o.user_id = $1)', 'orders user_id=$1'],
    [
      'SELECT * FROM users u, LATERAL (SELECT * FROM orders o WHERE o.user_id = u.id) x WHERE u.id = $1',
      'users id=$1; orders',
    ],
    ['SELECT ARRAY(SELECT id FROM orders WHERE region = $1)', 'orders region=$1'],
    ['WITH u AS (SELECT * FROM users WHERE id = $1) SELECT * FROM u', 'users id=$1'],
    ['WITH users AS (SELECT * FROM orders) SELECT * FROM users WHERE id = $1', 'orders'],
    ['WITH users AS (SELECT * FROM users WHERE id = $1) SELECT * FROM users', 'users id=$1'],
    ['WITH users AS (SELECT 1 AS id) SELECT * FROM public.users WHERE id = $1', 'users id=$1'],
    // Without RECURSIVE the first query cannot refer to the second.
    ['WITH a AS (SELECT * FROM users), users AS (SELECT 1) SELECT * FROM a', 'users'],
    ['WITH RECURSIVE a AS (SELECT * FROM users), users AS (SELECT 1) SELECT * FROM a', ''],
    ['WITH users AS (SELECT 1 AS id) SELECT (SELECT max(id) FROM users) FROM orders', 'orders'],
    [
      'SELECT (WITH users AS (SELECT 1 AS id) SELECT max(id) FROM users), id FROM users WHERE id = 1',
      'users id=1',
    ],
    [
      'WITH RECURSIVE t AS (SELECT id FROM users WHERE id = $1 UNION SELECT u.id FROM users u JOIN t ON u.id = t.id) SELECT * FROM t',
      'users',
    ],
    [
      'SELECT * FROM users WHERE id = 1 ORDER BY (SELECT max(id) FROM orders)',
      'users id=1; orders',
    ],
    ['SELECT * FROM users WHERE id = 1 LIMIT (SELECT count(*) FROM orders)', 'users id=1; orders'],
    [
      'SELECT * FROM users u JOIN orders o ON EXISTS (SELECT 1 FROM members WHERE team = $1 AND number = 1)',
      'users; orders; members team,number=$1/1',
    ],
    [
      'SELECT sum(id) OVER (ORDER BY (SELECT max(id) FROM orders)) FROM users WHERE id = 1',
      'users id=1; orders',
    ],
    ['SELECT * FROM (VALUES (1), ((SELECT max(id) FROM orders))) v(x)', 'orders'],
  ])('%s', (sql, expected) => {
    expect(reading(sql)).toBe(expected);
  });
});
