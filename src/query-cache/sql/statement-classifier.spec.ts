import { beforeAll, describe, expect, it } from '@jest/globals';
import { writeAnalyser } from '../../../test/support/analysed-writes.js';
import { loadParser } from './syntax-tree.js';

beforeAll(loadParser);

/** The kind; for what may write anything also whether it is transactional and changes the schema. */
function kindOf(sql: string): string {
  const analysis = writeAnalyser.statement(sql);
  if (analysis.kind !== 'unknown') return analysis.kind;
  return `unknown${analysis.transactional ? '' : ' alone'}${analysis.changesSchema ? ' schema' : ''}`;
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
    expect(writeAnalyser.statement(sql)).toEqual({ kind: 'transaction', command, name, chain });
  });
});
