import { beforeAll, describe, expect, it } from 'vitest';
import { writeAnalyser } from '../../../test/support/analysed-writes.js';
import { loadParser } from './syntax-tree.js';

beforeAll(loadParser);

const SECRET = 'secret';

describe('titles of writes', () => {
  it.each([
    [`UPDATE users SET name = 'secret' WHERE id = 7`, 'UPDATE public.users'],
    [`INSERT INTO "users" VALUES ('secret') ON CONFLICT DO NOTHING`, 'INSERT public.users'],
    [`DELETE FROM public.users AS secret`, 'DELETE public.users'],
    [
      `MERGE INTO users u USING (VALUES ('secret')) s(n) ON true WHEN MATCHED THEN DELETE`,
      'MERGE public.users',
    ],
    ['TRUNCATE users, other.absent', 'TRUNCATE public.users, other.absent'],
    ['COPY users FROM STDIN', 'COPY public.users'],
    ['UPDATE nowhere SET a = 1', 'UPDATE nowhere'],
    [
      `WITH gone AS (DELETE FROM users WHERE name = 'secret' RETURNING *) INSERT INTO nowhere SELECT * FROM gone`,
      'INSERT nowhere, DELETE public.users',
    ],
    ['WITH gone AS (DELETE FROM users RETURNING *) SELECT * FROM gone', 'DELETE public.users'],
    ['EXPLAIN ANALYZE UPDATE users SET id = 1', 'UPDATE public.users'],
    [`SELECT writes('secret'), lower('secret')`, 'SELECT writes'],
    [`CALL public.refresh('secret')`, 'CALL public.refresh'],
    [`DO $$ BEGIN PERFORM 'secret'; END $$`, 'DO'],
    [`CREATE TABLE secret (name text DEFAULT 'secret')`, 'CREATE TABLE'],
    ['CREATE INDEX ON users (name)', 'CREATE INDEX'],
    [`ALTER TABLE users ADD COLUMN a text DEFAULT 'secret'`, 'ALTER TABLE'],
    ['ALTER TABLE users RENAME TO secret', 'ALTER'],
    ['CREATE RULE r AS ON INSERT TO users DO ALSO DELETE FROM users', 'CREATE RULE'],
    ['CREATE TABLE secret AS SELECT 1', 'CREATE TABLE AS'],
    ['DROP TABLE secret', 'DROP'],
    [`EXECUTE p('secret')`, 'EXECUTE'],
    ['SELECT 1; DELETE FROM users; DELETE FROM users; DO $$ $$', 'DELETE public.users; DO'],
    [`UPDATE users SET name = 'secret`, 'unknown'],
    [`UPDAET users SET name = 'secret'`, 'unknown'],
  ])('%s: %s', (sql, title) => {
    const write = writeAnalyser.write(sql);
    expect(write.title).toBe(title);
    expect(write.fingerprint).toMatch(/^[0-9a-f]{16}$/);
    expect(JSON.stringify(write)).not.toContain(SECRET);
  });

  it('have at most 200 characters', () => {
    const sql = `TRUNCATE ${Array.from({ length: 100 }, (_, index) => `table_${index}`).join()}`;
    expect(writeAnalyser.write(sql).title).toHaveLength(200);
  });
});

describe('fingerprints of writes', () => {
  const fingerprintOf = (sql: string): string => writeAnalyser.write(sql).fingerprint;

  it.each([
    [`UPDATE users SET name = $1 WHERE id = $2`, `update users  set name = 'a' where id = 7`],
    ['DELETE FROM users WHERE id IN (1, 2)', 'DELETE FROM users WHERE id IN ($1, $2, $3)'],
  ])('are equal: %s | %s', (one, other) => {
    expect(fingerprintOf(one)).toBe(fingerprintOf(other));
  });

  it.each([
    ['DELETE FROM users WHERE id = 1', 'DELETE FROM users WHERE name = 1'],
    ['UPDAET users', 'UPDAET orders'],
  ])('differ: %s | %s', (one, other) => {
    expect(fingerprintOf(one)).not.toBe(fingerprintOf(other));
  });

  it('are made once for each text', () => {
    const sql = 'DELETE FROM users WHERE id = 77';
    expect(writeAnalyser.write(sql)).toBe(writeAnalyser.write(sql));
  });
});
