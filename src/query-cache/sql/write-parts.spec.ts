import { beforeAll, describe, expect, it } from '@jest/globals';
import { writesOf } from '../../../test/support/analysed-writes.js';
import type { Term } from '../core/statement-analysis.js';
import { loadParser } from './syntax-tree.js';

beforeAll(loadParser);

function textOf(term: Term | undefined): string {
  if (!term) return '?';
  return term.kind === 'constant' ? String(term.value) : `$${term.index + 1}`;
}

/** `action table dimension=values`, with `*` for rows that no answer counts, `+` for what follows. */
function partsOf(sql: string): string[] {
  return writesOf(sql).map(({ action, table, countedBy, confinements, alsoRewrites, inserted }) => {
    const proofs = confinements.map(
      ({ dimension, tuples }) =>
        `${dimension.name}=${tuples.map((tuple) => tuple.map(textOf).join(',')).join('|')}`,
    );
    const values = [...inserted].map(([name, terms]) => `${name}:${terms.map(textOf).join('|')}`);
    const cascades = alsoRewrites.map((id) => `+${id}`);
    return [`${action}${countedBy ?? '*'}`, table, ...proofs, ...values, ...cascades]
      .join(' ')
      .replaceAll('public.', '');
  });
}

describe('statements with several writing parts', () => {
  it.each<[string, string[]]>([
    [
      'WITH d AS (DELETE FROM plain WHERE id = $1 RETURNING id) SELECT * FROM d',
      ['delete* plain id=$1'],
    ],
    [
      "WITH d AS (DELETE FROM users WHERE id = $1 RETURNING *) INSERT INTO plain (id, note) VALUES ($2, 'a')",
      ['insert0 plain id:$2 note:a', 'delete* users id=$1'],
    ],
    [
      'WITH a AS (INSERT INTO plain VALUES (1) RETURNING id), b AS (DELETE FROM other.users WHERE id = 2) UPDATE users SET email = $1 WHERE id = 3',
      ['update0 users id=3', 'insert* plain id:1 note:?', 'delete* other.users id=2'],
    ],
    [
      'WITH a AS (UPDATE plain SET note = $2 WHERE id = $1) DELETE FROM users WHERE id = $1',
      ['delete0 users id=$1', 'update* plain id=$1'],
    ],
    // A common table expression hides the table in FROM, but never the table written.
    [
      'WITH plain AS (SELECT 7 AS id) UPDATE users SET email = $1 FROM plain WHERE users.id = plain.id',
      ['update0 users'],
    ],
    ['WITH users AS (SELECT 7 AS id) DELETE FROM users WHERE id = 1', ['delete0 users id=1']],
    [
      'WITH plain AS (SELECT 7) UPDATE users SET email = $1 FROM public.plain p WHERE users.id = p.id AND p.id = 4',
      ['update0 users id=4'],
    ],
    ['COPY (DELETE FROM users WHERE id = 1 RETURNING id) TO STDOUT', ['delete* users id=1']],
    ['EXPLAIN ANALYZE DELETE FROM users WHERE id = 1', ['delete* users id=1']],
    ['COPY users (id) FROM STDIN', ['insert0 users']],
    ['COPY report (id) FROM STDIN', ['rewrite0 users']],
    ['REFRESH MATERIALIZED VIEW totals', ['rewrite* totals']],
    [
      'SELECT 1; DELETE FROM users WHERE id = 1; INSERT INTO plain VALUES (1)',
      ['delete1 users id=1', 'insert2 plain id:1 note:?'],
    ],
  ])('%s', (sql, parts) => {
    expect(partsOf(sql).toSorted()).toEqual(parts.toSorted());
  });

  it('takes no row of the answer for one of an inner part', () => {
    const [returning] = writesOf('WITH d AS (DELETE FROM users RETURNING id) SELECT 1 AS id').map(
      (write) => write.returning.size,
    );
    expect(returning).toBe(0);
  });
});

describe('MERGE', () => {
  it.each<[string, string[]]>([
    [
      'MERGE INTO users u USING plain p ON u.id = p.id AND u.region = $1 WHEN MATCHED THEN DELETE',
      ['delete0 users region=$1'],
    ],
    [
      'MERGE INTO users u USING plain p ON u.id = p.id AND p.id = 5 WHEN MATCHED AND p.note = $2 THEN UPDATE SET email = $1 WHEN NOT MATCHED THEN INSERT (id, region) VALUES (5, $3)',
      ['update0 users id=5', 'insert0 users id:5 region:$3'],
    ],
    [
      "MERGE INTO users u USING plain p ON u.id = p.id AND u.region = 'US' WHEN NOT MATCHED BY SOURCE AND u.region = 'EU' THEN DELETE",
      ['delete0 users region=EU'],
    ],
    [
      "MERGE INTO users u USING plain p ON u.id = p.id AND u.region = 'US' WHEN NOT MATCHED BY SOURCE THEN UPDATE SET email = $1",
      ['update0 users'],
    ],
    [
      'MERGE INTO users USING plain p ON users.id = p.id WHEN NOT MATCHED THEN INSERT (id, region) VALUES (p.id, $1) WHEN MATCHED THEN DO NOTHING',
      ['insert0 users id:? region:$1'],
    ],
    [
      'MERGE INTO users USING plain p ON users.id = 1 WHEN NOT MATCHED THEN INSERT DEFAULT VALUES',
      ['insert0 users'],
    ],
    [
      'WITH p AS (SELECT 1 AS id) MERGE INTO parent USING p ON parent.id = 3 WHEN MATCHED THEN DELETE',
      ['delete0 parent id=3 +users'],
    ],
    ['MERGE INTO report r USING plain p ON r.id = 3 WHEN MATCHED THEN DELETE', ['rewrite0 users']],
  ])('%s', (sql, parts) => {
    expect(partsOf(sql)).toEqual(parts);
  });
});

describe('what a write carries on to', () => {
  it.each<[string, string[]]>([
    ['DELETE FROM grandparent WHERE id = 1', ['delete0 grandparent id=1 +parent +users']],
    ['UPDATE grandparent SET email = $1 WHERE id = 1', ['update0 grandparent id=1']],
    ['UPDATE choosy SET username = $1 WHERE id = 1', ['update0 choosy id=1 +plain']],
    ['UPDATE choosy SET (email, region) = (1, 2) WHERE id = 1', ['update0 choosy id=1 +choosy']],
    ['DELETE FROM choosy WHERE id = 1', ['delete0 choosy id=1 +plain']],
    [
      'INSERT INTO choosy (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET username = $1',
      ['insert0 choosy id:1 +plain'],
    ],
    ['INSERT INTO choosy (id) VALUES (1)', ['insert0 choosy id:1']],
    ['UPDATE over_report SET id = 1 WHERE id = 2', ['rewrite0 users']],
    ['TRUNCATE plain, users', ['rewrite* plain', 'rewrite* users']],
    ['TRUNCATE ONLY logs', ['rewrite* logs']],
    ['TRUNCATE grandparent', ['rewrite* grandparent']],
    [
      'TRUNCATE grandparent RESTART IDENTITY CASCADE',
      ['rewrite* grandparent', 'rewrite* parent', 'rewrite* triggered', 'rewrite* users'],
    ],
  ])('%s', (sql, parts) => {
    expect(partsOf(sql).toSorted()).toEqual(parts.toSorted());
  });
});
