import { beforeAll, describe, expect, it } from '@jest/globals';
import { writeOf } from '../../../test/support/analysed-writes.js';
import { loadParser } from './syntax-tree.js';

beforeAll(loadParser);

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
