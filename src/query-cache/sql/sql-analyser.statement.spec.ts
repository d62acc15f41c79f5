import { beforeAll, describe, expect, it } from '@jest/globals';
import { buildCatalogue } from '../../../test/support/catalogue-builder.js';
import type { TableWrite, Term } from '../core/statement-analysis.js';
import { loadParser, SqlAnalyser } from './sql-analyser.js';

const users = {
  columns: { id: 'integer', username: 'text', region: 'text', email: 'text', score: 'other' },
  dimensions: ['id', 'region'],
} as const;

const analyser = new SqlAnalyser(
  buildCatalogue({
    tables: {
      'public.users': users,
      'public.plain': { columns: { id: 'integer', note: 'text' }, dimensions: ['id'] },
      'other.users': users,
      'public.Odd "Name"': {
        columns: { 'the.id': 'integer', Region: 'text' },
        dimensions: ['the.id', 'Region'],
      },
      'public.triggered': { ...users, hasTriggers: true },
      'public.parent': { ...users, cascadesTo: ['public.users'] },
      'public.part': { ...users, isInherited: true },
      'public.partitioned': { ...users, kind: 'partitioned' },
      'public.report': { ...users, kind: 'view', dimensions: [] },
      'public.auditing': { ...users, kind: 'view', dimensions: [], hasTriggers: true },
    },
    functions: {
      'public.pure': 'immutable',
      'public.reads': 'stable',
      'public.writes': 'volatile',
    },
    operators: { 'public.~~~': 'volatile' },
  }),
);

beforeAll(loadParser);

/** The kind; for what may write anything also whether it is transactional and changes the schema. */
function kindOf(sql: string): string {
  const analysis = analyser.statement(sql);
  if (analysis.kind !== 'unknown') return analysis.kind;
  return `unknown${analysis.transactional ? '' : ' alone'}${analysis.changesSchema ? ' schema' : ''}`;
}

function writeOf(sql: string): TableWrite {
  const analysis = analyser.statement(sql);
  if (analysis.kind !== 'write' || !analysis.writes[0]) throw new Error(`${sql}: ${analysis.kind}`);
  return analysis.writes[0];
}

const parameter = (index: number): Term => ({ kind: 'parameter', index });
const constant = (value: string | number | boolean | null): Term => ({ kind: 'constant', value });

describe('kinds of statements', () => {
  it.each([
    ['SELECT * FROM users', 'read'],
    ['SELECT * FROM users FOR UPDATE', 'read'],
    ['VALUES (1)', 'read'],
    ['TABLE users', 'read'],
    ['', 'read'],
    ['  -- nothing', 'read'],
    ['SELECT * FROM information_schema.tables', 'read'],
    ['SELECT * FROM nowhere', 'read'],
    ['SELECT * FROM report', 'read'],
    ['SELECT now(), random(), pure(1), reads(2)', 'read'],
    ["SELECT nextval('s'), pg_advisory_xact_lock(1), set_config('a', 'b', true)", 'read'],
    ['EXPLAIN DELETE FROM users', 'read'],
    ['EXPLAIN ANALYZE SELECT 1', 'read'],
    ['SHOW search_path', 'read'],
    ["SET TIME ZONE 'UTC'", 'read'],
    ['SET TRANSACTION ISOLATION LEVEL SERIALIZABLE', 'read'],
    ['RESET ALL', 'read'],
    ['LISTEN a', 'read'],
    ['UNLISTEN *', 'read'],
    ["NOTIFY a, 'b'", 'read'],
    ['DECLARE c CURSOR FOR SELECT 1', 'read'],
    ['FETCH 10 FROM c', 'read'],
    ['CLOSE c', 'read'],
    ['LOCK TABLE users', 'read'],
    ['PREPARE p AS DELETE FROM users', 'read'],
    ['DEALLOCATE p', 'read'],
    ['WITH r AS (SELECT 1) SELECT * FROM r', 'read'],

    ['SELECT writes(1)', 'unknown schema'],
    ['SELECT * FROM writes(1)', 'unknown schema'],
    ['SELECT nowhere(1)', 'unknown schema'],
    ['SELECT lo_unlink(1)', 'unknown schema'],
    ["SELECT table_to_xml('a', true, true, '')", 'unknown schema'],
    ['SELECT 1 ~~~ 2', 'unknown schema'],
    ['SELECT u.writes FROM users u', 'unknown schema'],
    ['SELECT (u).writes FROM users u', 'unknown schema'],
    ['SELECT * FROM auditing', 'unknown schema'],
    ['SELECT * INTO copied FROM users', 'unknown schema'],
    ['WITH d AS (DELETE FROM users RETURNING *) SELECT * FROM d', 'unknown schema'],
    ['DECLARE c CURSOR FOR SELECT writes(1)', 'unknown'],
    ['EXPLAIN ANALYZE DELETE FROM users', 'unknown schema'],
    ['EXPLAIN (ANALYZE, BUFFERS) DELETE FROM users', 'unknown schema'],
    ['EXECUTE p', 'unknown'],
    ['TRUNCATE users', 'unknown'],
    ['MERGE INTO users u USING plain p ON u.id = p.id WHEN MATCHED THEN DELETE', 'unknown'],
    ['COPY users FROM STDIN', 'unknown'],
    ['REFRESH MATERIALIZED VIEW CONCURRENTLY m', 'unknown alone'],
    ['CREATE TABLE t ()', 'unknown schema'],
    ['CREATE TABLE t AS SELECT 1', 'unknown schema'],
    ['ALTER TABLE users ADD COLUMN a int', 'unknown schema'],
    ['ALTER TABLE users DETACH PARTITION p CONCURRENTLY', 'unknown alone schema'],
    ['DROP TABLE users', 'unknown schema'],
    ['CREATE INDEX ON users (id)', 'unknown schema'],
    ['CREATE INDEX CONCURRENTLY ON users (id)', 'unknown alone schema'],
    ['DROP INDEX CONCURRENTLY i', 'unknown alone schema'],
    ['REINDEX TABLE CONCURRENTLY users', 'unknown alone'],
    ['VACUUM', 'unknown alone'],
    ['CREATE DATABASE d', 'unknown alone schema'],
    ['DROP DATABASE d', 'unknown alone schema'],
    ["ALTER SYSTEM SET work_mem = '1MB'", 'unknown alone'],
    ['CALL p()', 'unknown alone schema'],
    ["DO 'BEGIN END'", 'unknown alone schema'],
    ['DISCARD ALL', 'unknown alone schema'],
    ['SELEC 1', 'unknown alone schema'],
    [`SELECT ${'1 + '.repeat(20_000)}1`, 'unknown alone schema'],

    ['SELECT 1; SELECT 2', 'unknown'],
    ['SELECT 1; DELETE FROM users', 'unknown'],
    ['DELETE FROM users; CREATE TABLE t ()', 'unknown schema'],
    ['BEGIN; DELETE FROM users', 'unknown alone'],
    ['DELETE FROM users; VACUUM', 'unknown alone'],

    ['INSERT INTO triggered (id) VALUES (1)', 'unknown'],
    ['INSERT INTO parent (id) VALUES (1)', 'write'],
    ['INSERT INTO parent (id) VALUES (1) ON CONFLICT DO NOTHING', 'write'],
    ['INSERT INTO parent (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET email = $1', 'unknown'],
    ['UPDATE parent SET email = $1', 'unknown'],
    ['DELETE FROM parent', 'unknown'],
    ['DELETE FROM part', 'unknown'],
    ['DELETE FROM partitioned', 'unknown'],
    ['DELETE FROM report', 'unknown'],
    ['DELETE FROM nowhere', 'unknown'],
    ['DELETE FROM pg_class', 'unknown'],
    ['DELETE FROM base.public.users', 'unknown'],
    ['DELETE FROM users WHERE id = writes(1)', 'unknown'],
    ['DELETE FROM users WHERE id IN (SELECT writes(1))', 'unknown'],
    ['INSERT INTO users (id) SELECT writes(id) FROM plain', 'unknown'],
    ['UPDATE users SET email = $1 RETURNING writes(id)', 'unknown'],
    ['WITH a AS (SELECT 1) DELETE FROM users', 'unknown'],
    ['WITH a AS (INSERT INTO plain VALUES (1) RETURNING id) UPDATE users SET id = 1', 'unknown'],
    ['DELETE FROM users WHERE id IN (SELECT id FROM plain) AND reads(id) = 1', 'write'],
    ['INSERT INTO users (username) VALUES (random()::text)', 'write'],
  ])('%s', (sql, kind) => {
    expect(kindOf(sql)).toBe(kind);
  });

  it.each([
    ['BEGIN', 'begin', undefined, false],
    ['START TRANSACTION ISOLATION LEVEL REPEATABLE READ', 'begin', undefined, false],
    ['COMMIT', 'commit', undefined, false],
    ['END AND CHAIN', 'commit', undefined, true],
    ['ROLLBACK', 'rollback', undefined, false],
    ['ABORT AND CHAIN', 'rollback', undefined, true],
    ['SAVEPOINT Typeorm_1', 'savepoint', 'typeorm_1', false],
    ['RELEASE "A b"', 'release', 'A b', false],
    ['ROLLBACK TO SAVEPOINT a', 'rollback-to', 'a', false],
    ["PREPARE TRANSACTION 'a'", 'other', undefined, false],
    ["COMMIT PREPARED 'a'", 'other', undefined, false],
  ])('%s', (sql, command, name, chain) => {
    expect(analyser.statement(sql)).toEqual({ kind: 'transaction', command, name, chain });
  });
});

describe('inserts', () => {
  it('takes the values of each column, row by row', () => {
    const write = writeOf(
      'INSERT INTO "users"("username", "region", "email") VALUES ($1, $2, $3), ($4, $5, DEFAULT) RETURNING "id"',
    );
    expect(write).toMatchObject({
      table: 'public.users',
      action: 'insert',
      mayUpdateOthers: false,
    });
    expect(Object.fromEntries(write.inserted)).toEqual({
      username: [parameter(0), parameter(3)],
      region: [parameter(1), parameter(4)],
      email: [parameter(2), undefined],
    });
    expect([...write.returning]).toEqual([['id', 'id']]);
  });

  it('fills the columns in order where none is named', () => {
    const { inserted } = writeOf("INSERT INTO users VALUES (7, 'a', lower('US'))");
    expect(Object.fromEntries(inserted)).toEqual({
      id: [constant(7)],
      username: [constant('a')],
      region: [undefined],
      email: [undefined],
    });
  });

  it.each([
    ['INSERT INTO users DEFAULT VALUES'],
    ['INSERT INTO users (id, region) SELECT id, note FROM plain'],
    ["INSERT INTO users (id, region) OVERRIDING USER VALUE VALUES (1, 'US')"],
  ])('knows no value of %s', (sql) => {
    expect(writeOf(sql).inserted.size).toBe(0);
  });

  it('takes no parameter for a value that has another type elsewhere', () => {
    const { inserted } = writeOf('INSERT INTO users (score, region, email) VALUES ($1, $1, $2)');
    expect(inserted.get('region')).toEqual([undefined]);
    expect(inserted.get('email')).toEqual([parameter(1)]);
  });

  it('takes a fraction for no value', () => {
    expect(writeOf('INSERT INTO users (id, region) VALUES (7.6, 1.50)').inserted).toEqual(
      new Map([
        ['id', [undefined]],
        ['region', [undefined]],
      ]),
    );
  });

  it('knows that an upsert may change other rows, and in which columns', () => {
    const write = writeOf(
      'INSERT INTO users (username, region) VALUES ($1, $2) ON CONFLICT (username) DO UPDATE SET email = $3, score = 1, region = EXCLUDED.region',
    );
    expect(write.mayUpdateOthers).toBe(true);
    expect(Object.fromEntries(write.assignments)).toEqual({
      email: parameter(2),
      score: undefined,
      region: undefined,
    });
  });
});

describe('updates and deletes', () => {
  const proofs = (sql: string): string[] =>
    writeOf(sql).confinements.map(
      ({ dimension, tuples }) => `${dimension.name}:${JSON.stringify(tuples)}`,
    );

  it('proves what WHERE says of the rows as they were', () => {
    const write = writeOf('UPDATE "users" SET "region" = $1 WHERE "id" IN ($2)');
    expect(write.confinements).toEqual([
      { dimension: { name: 'id', columns: ['id'] }, tuples: [[parameter(1)]] },
    ]);
    expect([...write.assignments]).toEqual([['region', parameter(0)]]);
  });

  it.each([
    ['UPDATE users u SET region = $1 FROM plain p WHERE u.id = p.id AND p.id = 7', '7'],
    ['DELETE FROM users USING plain p WHERE users.id = p.id AND p.id = 7', '7'],
    ['UPDATE other.users SET email = $1 WHERE other.users.id = 7', '7'],
    ['UPDATE ONLY users AS u SET email = $1 WHERE u.id = 7', '7'],
  ])('follows names and joins: %s', (sql, value) => {
    expect(proofs(sql)).toEqual([`id:[[{"kind":"constant","value":${value}}]]`]);
  });

  it.each([
    ['UPDATE users SET region = $1'],
    ['UPDATE users SET id = 7'],
    ['UPDATE users AS u SET region = $1 WHERE users.id = 7'],
    ['UPDATE users SET region = $1 FROM plain WHERE plain.id = 7'],
    ['UPDATE users SET region = $1 FROM plain WHERE id = 7'],
    ['UPDATE users SET region = $1 WHERE CURRENT OF c'],
    ['UPDATE users SET score = $1 WHERE id = $1'],
    ['DELETE FROM users WHERE id = 7 OR id = 8'],
  ])('proves nothing: %s', (sql) => {
    expect(proofs(sql)).toEqual([]);
  });

  it('assigns no plain value to several columns at once, parts of columns, or by default', () => {
    const { assignments } = writeOf(
      "UPDATE users SET (id, region) = (1, 'US'), username = DEFAULT, email[1] = 'a'",
    );
    expect(Object.fromEntries(assignments)).toEqual({
      id: undefined,
      region: undefined,
      username: undefined,
      email: undefined,
    });
  });

  it.each([
    ['DELETE FROM users RETURNING id, region AS r', 'id>id r>region'],
    ['DELETE FROM users u RETURNING u.id, users.region', 'id>id'],
    [
      'DELETE FROM users RETURNING *',
      'id>id username>username region>region email>email score>score',
    ],
    [
      'DELETE FROM users u RETURNING u.*, 1 AS region',
      'id>id username>username email>email score>score',
    ],
    ['DELETE FROM users u USING plain p RETURNING u.id, p.id, region', 'region>region'],
    ['DELETE FROM users u USING plain p RETURNING *', ''],
    ['DELETE FROM users u USING plain p RETURNING region, p.*', ''],
    ['UPDATE users SET id = 1 RETURNING old.region, id', 'id>id'],
    ['UPDATE users SET id = 1 RETURNING WITH (OLD AS o) region', ''],
    ['UPDATE users SET id = 1 RETURNING lower(region) AS region, id', 'id>id'],
    ['UPDATE users SET id = 1 RETURNING id, id + 1', ''],
    ['UPDATE users SET id = 1 RETURNING region::varchar(1), id', ''],
    ['DELETE FROM users', ''],
  ])('%s', (sql, expected) => {
    const columns = [...writeOf(sql).returning].map(([result, column]) => `${result}>${column}`);
    expect(columns.join(' ')).toBe(expected);
  });
});

describe('probes', () => {
  const columns = '"users"."id" AS "id", "users"."region" AS "region"';

  it.each([
    [
      'UPDATE "users" SET "region" = $1 WHERE "id" IN ($2)',
      `SELECT ${columns} FROM "users" WHERE "id" IN ($1) FOR NO KEY UPDATE`,
      [1],
    ],
    [
      'DELETE FROM "users" WHERE "id" = $1',
      `SELECT ${columns} FROM "users" WHERE "id" = $1 FOR UPDATE`,
      [0],
    ],
    [
      'update users set id = $3 where id = $2 and username = $1 and email = $1;',
      `SELECT ${columns} FROM "users" WHERE id = $1 and username = $2 and email = $2 FOR UPDATE`,
      [1, 0],
    ],
    [
      "UPDATE other.users AS \"Ü\" SET email = 'ü WHERE' /* WHERE */ WHERE -- ü\n id = 7 AND email <> 'RETURNING ü' RETURNING email",
      `SELECT "Ü"."id" AS "id", "Ü"."region" AS "region" FROM "other"."users" AS "Ü" WHERE id = 7 AND email <> 'RETURNING ü' FOR NO KEY UPDATE`,
      [],
    ],
    [
      'UPDATE users AS "where" SET email = "where".email, username = (SELECT note FROM plain WHERE id = 1) WHERE ("where".id) = 7',
      'SELECT "where"."id" AS "id", "where"."region" AS "region" FROM "users" AS "where" WHERE ("where".id) = 7 FOR NO KEY UPDATE',
      [],
    ],
    [
      'UPDATE users AS set SET email = set.email WHERE set.id = 7',
      'SELECT "set"."id" AS "id", "set"."region" AS "region" FROM "users" AS "set" WHERE set.id = 7 FOR NO KEY UPDATE',
      [],
    ],
    [
      'DELETE FROM "Odd ""Name""" WHERE "the.id" = 1',
      'SELECT "Odd ""Name"""."the.id" AS "the.id", "Odd ""Name"""."Region" AS "Region" FROM "Odd ""Name""" WHERE "the.id" = 1 FOR UPDATE',
      [],
    ],
    [
      "DELETE FROM users WHERE id = 1 AND email IN (E'a\\'b', U&'\\0061', $$c$$, 'd'\n'e')",
      `SELECT ${columns} FROM "users" WHERE id = 1 AND email IN (E'a\\'b', U&'\\0061', $$c$$, 'd'\n'e') FOR UPDATE`,
      [],
    ],
  ])('%s', (sql, probe, parameterIndexes) => {
    expect(writeOf(sql).probe).toEqual({ sql: probe, parameterIndexes });
  });

  it.each([
    // The rows are not bounded by the key.
    ['UPDATE users SET region = $1'],
    ['UPDATE users SET email = $1 WHERE username = $2'],
    // Nothing is left to learn.
    ['UPDATE plain SET note = $1 WHERE id = $2'],
    ["UPDATE users SET email = $1 WHERE id = $2 AND region = 'US'"],
    ['UPDATE users SET email = $1 WHERE id = $2 RETURNING region'],
    ['DELETE FROM users WHERE id = $1 RETURNING *'],
    // The clause may mean something else a moment later.
    ['DELETE FROM users WHERE id = 1 AND id IN (SELECT id FROM plain)'],
    ['DELETE FROM users WHERE id = 1 AND random() > 0'],
    ['DELETE FROM users WHERE id = 1 AND reads(id) = 1'],
    ['DELETE FROM users u USING plain p WHERE u.id = 1'],
    // The parameter may have its type from the other place.
    ['UPDATE users SET email = $1 WHERE id = 1 AND $1 IS NULL'],
    ['INSERT INTO users (id) VALUES (1)'],
  ])('none for %s', (sql) => {
    expect(writeOf(sql).probe).toBeUndefined();
  });

  it('is there where the region itself changes, although RETURNING gives the new one', () => {
    expect(
      writeOf('UPDATE users SET region = $1 WHERE id = $2 RETURNING region').probe,
    ).toBeDefined();
  });
});
