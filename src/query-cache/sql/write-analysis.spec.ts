import { beforeAll, describe, expect, it } from '@jest/globals';
import { writeOf } from '../../../test/support/analysed-writes.js';
import type { Term } from '../core/statement-analysis.js';
import { loadParser } from './syntax-tree.js';

beforeAll(loadParser);

const parameter = (index: number): Term => ({ kind: 'parameter', index });
const constant = (value: string | number | boolean | null): Term => ({ kind: 'constant', value });

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
    ["DELETE FROM users WHERE id = 7 OR email = 'a'"],
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
