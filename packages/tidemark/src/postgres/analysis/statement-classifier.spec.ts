import { beforeAll, describe, expect, it } from 'vitest';
import { writeAnalyser } from '../../../test/support/analysed-writes.js';
import { loadParser } from './syntax-tree.js';

beforeAll(loadParser);

/** The kind; if the text may write unnamed tables, also whether it is transactional and changes the schema. */
function kindOf(sql: string): string {
  const analysis = writeAnalyser.statement(sql);
  if (analysis.kind === 'write' && analysis.hasUnknownTargets) return 'unknown';
  if (analysis.kind !== 'unknown') return analysis.kind;
  return `unknown${analysis.transactional ? '' : ' alone'}${analysis.changesSchema ? ' schema' : ''}`;
}

function targetsOf(sql: string): string[] {
  const analysis = writeAnalyser.statement(sql);
  if (analysis.kind !== 'write') throw new Error(`${sql}: ${analysis.kind}`);
  return analysis.targets.map(({ table, actions, countedBy }) => {
    const counted = countedBy === 0 ? ', counted' : `, counted by ${countedBy}`;
    return `${table}: ${actions.join(' ')}${countedBy === undefined ? '' : counted}`;
  });
}

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
    ['SELECT now(), random(), pure(1)', 'read'],
    ["SELECT 1::text, '{}'::jsonb[], CAST($1 AS pg_catalog.int8)", 'read'],
    ['CREATE TEMP TABLE t (id int)', 'read'],
    ['CREATE TABLE pg_temp.t (id int)', 'read'],
    ['CREATE TEMP TABLE t AS SELECT * FROM users', 'read'],
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

    ['SELECT writes(1)', 'unknown'],
    ['SELECT * FROM writes(1)', 'unknown'],
    ['SELECT reads(2)', 'unknown'], // STABLE, and may call what writes
    ['SELECT 1::audited', 'unknown'],
    ['SELECT $1::nowhere', 'unknown'],
    ['SELECT * FROM jsonb_to_recordset($1) AS t(id audited)', 'unknown'],
    ['CREATE TEMP TABLE t AS SELECT writes(1)', 'unknown schema'],
    ['DROP TABLE pg_temp.t', 'unknown schema'],
    ['SELECT nowhere(1)', 'unknown'],
    ['SELECT lo_unlink(1)', 'unknown'],
    ["SELECT table_to_xml('a', true, true, '')", 'unknown'],
    ['SELECT 1 ~~~ 2', 'unknown'],
    ['SELECT u.writes FROM users u', 'unknown'],
    ['SELECT (u).writes FROM users u', 'unknown'],
    ['SELECT * FROM auditing', 'unknown'],
    ['SELECT * INTO copied FROM users', 'unknown schema'],
    ['WITH d AS (DELETE FROM users RETURNING *) SELECT * FROM d', 'write'],
    ['DECLARE c CURSOR FOR SELECT writes(1)', 'unknown'],
    ['EXPLAIN ANALYZE DELETE FROM users', 'write'],
    ['EXPLAIN (ANALYZE, BUFFERS) DELETE FROM users', 'write'],
    ['EXECUTE p', 'unknown'],
    ['TRUNCATE users', 'write'],
    ['MERGE INTO users u USING plain p ON u.id = p.id WHEN MATCHED THEN DELETE', 'write'],
    ['COPY users FROM STDIN', 'write'],
    ["COPY users FROM PROGRAM 'rm -rf /'", 'unknown'],
    ['COPY users FROM STDIN WHERE writes(id) > 0', 'unknown'],
    ['COPY report FROM STDIN', 'unknown'],
    ['COPY users TO STDOUT', 'read'],
    ["COPY users TO PROGRAM 'psql'", 'unknown'],
    ['COPY (SELECT writes(1)) TO STDOUT', 'unknown'],
    ['COPY (DELETE FROM users RETURNING id) TO STDOUT', 'write'],
    ['TRUNCATE report', 'unknown'],
    ['EXPLAIN ANALYZE EXECUTE p', 'unknown'],
    ['EXPLAIN ANALYZE CREATE TABLE t AS SELECT 1', 'unknown schema'],
    ['MERGE INTO users u USING plain p ON writes(p.id) = 1 WHEN MATCHED THEN DELETE', 'unknown'],
    ['WITH a AS (SELECT writes(1)) SELECT * FROM a', 'unknown'],
    ['INSERT INTO users (id) VALUES (writes(1))', 'unknown'],
    ['SELECT id FROM users ORDER BY writes(id)', 'unknown'],
    ['ANALYZE users', 'read'],
    ['CLUSTER users', 'read'],
    ['REFRESH MATERIALIZED VIEW CONCURRENTLY totals', 'write'],
    ['REFRESH MATERIALIZED VIEW stirred', 'unknown'],
    ['REFRESH MATERIALIZED VIEW nowhere', 'unknown'],
    ['CREATE TABLE t ()', 'unknown schema'],
    ['CREATE TABLE t AS SELECT 1', 'unknown schema'],
    ['ALTER TABLE users ADD COLUMN a int', 'unknown schema'],
    ['ALTER TABLE users DETACH PARTITION p CONCURRENTLY', 'unknown alone schema'],
    ['DROP TABLE users', 'unknown schema'],
    ['CREATE INDEX ON users (id)', 'unknown schema'],
    ['CREATE INDEX CONCURRENTLY ON users (id)', 'unknown alone schema'],
    ['DROP INDEX CONCURRENTLY i', 'unknown alone schema'],
    ['REINDEX TABLE CONCURRENTLY users', 'read'],
    ['VACUUM', 'read'],
    ['CREATE DATABASE d', 'unknown alone schema'],
    ['DROP DATABASE d', 'unknown alone schema'],
    ["ALTER SYSTEM SET work_mem = '1MB'", 'unknown alone'],
    ['CALL p()', 'unknown alone schema'],
    ["DO 'BEGIN END'", 'unknown alone schema'],
    ['DISCARD ALL', 'read'],
    ['SELEC 1', 'unknown alone schema'],
    [`SELECT ${'1 + '.repeat(20_000)}1`, 'unknown alone schema'],

    ['SELECT 1; SELECT 2', 'read'],
    ['SELECT 1; DELETE FROM users', 'write'],
    ['DELETE FROM users; CREATE TABLE t ()', 'unknown schema'],
    ['SET search_path = other; DELETE FROM users', 'unknown'],
    ["SELECT set_config('search_path', 'other', false); SELECT 1", 'unknown'],
    ['SET lock_timeout = 1; DELETE FROM users', 'write'],
    ['BEGIN; DELETE FROM users', 'unknown alone'],
    ['DELETE FROM users; VACUUM', 'write'],

    ['INSERT INTO users (id) VALUES (1)', 'write'],
    ['DELETE FROM logs', 'write'],
    ['DELETE FROM report', 'unknown'],
    ['DELETE FROM over_report', 'unknown'],
    ['INSERT INTO over_report (id) VALUES (1)', 'unknown'],
    ['UPDATE ruled_report SET id = 1', 'unknown'],
    ['DELETE FROM ruled_report', 'unknown'],
    ['DELETE FROM joined', 'unknown'],
    ['DELETE FROM auditing', 'unknown'],
    ['DELETE FROM totals', 'write'],
    ['DELETE FROM nowhere', 'unknown'],
    ['DELETE FROM pg_class', 'unknown'],
    ['DELETE FROM base.public.users', 'unknown'],
    ['DELETE FROM users WHERE id = writes(1)', 'unknown'],
    ['DELETE FROM users WHERE id IN (SELECT writes(1))', 'unknown'],
    ['INSERT INTO users (id) SELECT writes(id) FROM plain', 'unknown'],
    ['UPDATE users SET email = $1 RETURNING writes(id)', 'unknown'],
    ['WITH a AS (SELECT 1) DELETE FROM users', 'write'],
    ['WITH a AS (INSERT INTO plain VALUES (1) RETURNING id) UPDATE users SET id = 1', 'write'],
    ['DELETE FROM users WHERE id IN (SELECT id FROM plain) AND reads(id) = 1', 'write'],
    ['INSERT INTO users (username) VALUES (random()::text)', 'write'],
  ])('%s', (sql, kind) => {
    expect(kindOf(sql)).toBe(kind);
  });

  it.each([
    ['BEGIN', 'begin', undefined],
    ['START TRANSACTION ISOLATION LEVEL REPEATABLE READ', 'begin', undefined],
    ['COMMIT', 'commit', undefined],
    ['END AND CHAIN', 'commit', undefined],
    ['ROLLBACK', 'rollback', undefined],
    ['ABORT AND CHAIN', 'rollback', undefined],
    ['SAVEPOINT Typeorm_1', 'savepoint', 'typeorm_1'],
    ['RELEASE "A b"', 'release', 'A b'],
    ['ROLLBACK TO SAVEPOINT a', 'rollback-to', 'a'],
    ["PREPARE TRANSACTION 'a'", 'other', undefined],
    ["COMMIT PREPARED 'a'", 'other', undefined],
  ])('%s', (sql, command, name) => {
    expect(writeAnalyser.statement(sql)).toEqual({ kind: 'transaction', command, name });
  });
});

describe('targets of writes', () => {
  it.each([
    ['INSERT INTO users (id) VALUES (1)', ['public.users: insert, counted']],
    ['INSERT INTO users (id) VALUES (1) ON CONFLICT DO NOTHING', ['public.users: insert, counted']],
    [
      'INSERT INTO users (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET email = $1',
      ['public.users: insert update, counted'],
    ],
    ['UPDATE other.users SET id = 1', ['other.users: update, counted']],
    ['DELETE FROM logs_1', ['public.logs_1: delete, counted']],
    [
      'MERGE INTO users u USING plain p ON u.id = p.id WHEN MATCHED THEN DELETE',
      ['public.users: insert update delete, counted'],
    ],
    [
      'WITH a AS (DELETE FROM plain RETURNING id) UPDATE users SET id = 1',
      ['public.plain: delete', 'public.users: update, counted'],
    ],
    ['WITH a AS (DELETE FROM plain RETURNING id) SELECT * FROM a', ['public.plain: delete']],
    ['COPY users FROM STDIN', ['public.users: insert, counted']],
    ['COPY (DELETE FROM users RETURNING id) TO STDOUT', ['public.users: delete']],
    ['EXPLAIN ANALYZE DELETE FROM users', ['public.users: delete']],
    ['TRUNCATE users, plain', ['public.users: truncate', 'public.plain: truncate']],
    ['TRUNCATE users CASCADE', ['public.users: truncate']],
    ['REFRESH MATERIALIZED VIEW totals', ['public.totals: truncate']],
    [
      'UPDATE users SET id = 1; SELECT 1; DELETE FROM plain',
      ['public.users: update, counted', 'public.plain: delete, counted by 2'],
    ],
    ['DELETE FROM report', []],
    ['DELETE FROM nowhere', []],
  ])('%s', (sql, targets) => {
    expect(targetsOf(sql).toSorted()).toEqual([...targets].toSorted());
  });
});
