/**
 * Real: PostgreSQL. A text that is read as a date may name a moment that moves with the clock,
 * and a time of day with a zone gets the offset of the present date: neither is cached. Dates are.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defineQuery, type BoundQuery } from '../../src/index.js';
import { CachedReads } from './cached-reads.js';

let reads: CachedReads;

beforeAll(async () => {
  reads = await CachedReads.start(
    [],
    [
      'CREATE DOMAIN word AS text',
      "CREATE TYPE word_of_clock AS ENUM ('now', 'later')",
      'CREATE DOMAIN past AS timestamptz',
      `CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`,
      `CREATE TABLE typed (id integer PRIMARY KEY, at timestamptz)`,
      'CREATE DOMAIN opening AS timetz',
      'CREATE TYPE hours AS (opens timetz, closes timetz)',
      'CREATE TYPE span AS RANGE (subtype = timetz)',
      `CREATE FUNCTION is_late(timetz) RETURNS boolean IMMUTABLE LANGUAGE sql RETURN $1 > '18:00+00'`,
      `CREATE FUNCTION noon() RETURNS timetz IMMUTABLE LANGUAGE sql RETURN timetz '12:00+00'`,
      'CREATE OPERATOR ~> (FUNCTION = is_late, RIGHTARG = timetz)',
      'CREATE TABLE z (id integer PRIMARY KEY, begins timetz, list timetz[])',
      "INSERT INTO z VALUES (1, '10:00+00', '{10:00+00}')",
      'CREATE TABLE of_domain (id integer PRIMARY KEY, o opening)',
      'CREATE TABLE of_list (id integer PRIMARY KEY, list timetz[])',
      'CREATE TABLE of_row (id integer PRIMARY KEY, h hours)',
      'CREATE TABLE of_range (id integer PRIMARY KEY, s span)',
      'CREATE VIEW openings (id, since) AS SELECT id, begins FROM z',
      `CREATE TABLE m (id integer PRIMARY KEY, t text, c char(10), d word, a text[], j jsonb, n name,
         l text COLLATE loose, g text GENERATED ALWAYS AS (t || '') STORED, at timestamptz,
         plain timestamp, day date, tod time, p past, seconds numeric)`,
      `INSERT INTO m (id, t, c, d, a, j, n, l, at, plain, day, tod, p, seconds)
         VALUES (1, 'now', 'now', 'now', '{now}', '{"at":"now"}', 'now', 'now', '2026-01-02 03:04Z',
           '2026-01-02 03:04', '2026-01-02', '10:00', '2026-01-02 03:04Z', 5)`,
    ],
  );
  await reads.warm(select('t.id'));
});

afterAll(() => reads.stop());

function select(expression: string, from = 'm', parameters: object = {}): () => BoundQuery {
  const query = defineQuery({
    name: 'moment',
    shape: 'raw',
    build: (source, values: object) =>
      source.createQueryBuilder().select(expression, 'x').from(from, 't').setParameters(values),
  });
  return () => query.bind(parameters);
}

describe('not cached: a text of a row', () => {
  it.each([
    'timestamptz(t.t)',
    'pg_catalog.date(t.t)',
    'time(t.c)',
    "tstzrange(t.t || ',')",
    "tstzmultirange('{[' || t.t || ',)}')",
    'CAST(t.c AS timestamptz)',
    'CAST(t.d AS timestamptz)',
    'CAST(t.n AS timestamptz)',
    'CAST(t.g AS timestamptz)',
    'CAST(t.l AS timestamptz)',
    'CAST(t.a AS timestamptz[])',
    'CAST(CAST(t.j AS text) AS timestamptz)',
    'CAST(CAST(CAST(t.t AS jsonpath) AS text) AS timestamptz)',
    'CAST(CAST(CAST(t.t AS word_of_clock) AS text) AS timestamptz)',
    "CAST(CAST(t.j - 'k' AS text) AS timestamptz)",
    '(t.t).timestamptz',
    '(jsonb_populate_record(CAST(NULL AS typed), t.j)).at',
  ])('%s', (expression) => {
    expect(reads.app.cache.explain(select(expression)())).toMatchObject({ cacheable: false });
  });

  it('(jsonb_populate_record(y, t.j)).at', async () => {
    const query = defineQuery({
      name: 'populated',
      shape: 'raw',
      build: (source) =>
        source
          .createQueryBuilder()
          .select('(jsonb_populate_record(y, t.j)).at', 'x')
          .from('m', 't')
          .leftJoin('typed', 'y', 'true'),
    });
    await reads.expectRefused(() => query.bind(), 'volatile-function');
  });

  it('a value of a function', () => {
    const query = select('f.timestamptz', 'unnest(ARRAY[CAST(1 AS text)])');
    expect(reads.app.cache.explain(query())).toMatchObject({ cacheable: false });
  });
});

describe('not cached: a literal or parameter text', () => {
  it.each([
    ['after many blanks', `CAST('${' '.repeat(140)}now' AS timestamptz)`, {}],
    ['with a backslash', `CAST('{"n\\ow"}' AS timestamptz[])`, {}],
    ['with quotes in it', `CAST('[n"o"w,)' AS tstzrange)`, {}],
    ['in a long list', `CAST('{${'2026-01-01,'.repeat(40)}now}' AS timestamptz[])`, {}],
  ])('%s', async (_what, expression, parameters) => {
    await reads.expectRefused(select(expression, 'm', parameters), 'volatile-function');
  });

  it('as bytes', async () => {
    const query = select('CAST(CAST(:b AS text) AS timestamptz)', 'm', { b: Buffer.from('now') });
    await reads.expectRefused(query, 'parameter-type');
  });
});

describe('not cached: a time of day with an offset', () => {
  it.each([
    'CAST(t.tod AS timetz)',
    "CAST('10:00' AS timetz)",
    'timetz(t.tod)',
    "t.tod AT TIME ZONE 'Europe/Berlin'",
    "COALESCE('10:00', t.tod) AT TIME ZONE 'Europe/Berlin'",
    "NULLIF('10:00', t.tod) AT TIME ZONE 'Europe/Berlin'",
    "('01:00' + t.tod) AT TIME ZONE 'Europe/Berlin'",
    "timezone('Europe/Berlin', t.tod)",
    "JSON_VALUE(t.j, '$[0].time_tz()')",
    "JSON_VALUE(t.j, '$[0].time\\u005ftz()')",
    "JSON_QUERY(t.j, '$[0].Time_TZ()')",
    `JSON_EXISTS(t.j, '$[*] ? (@.datetime() > "09:00:00+01".datetime())')`,
    "JSON_VALUE(t.j, CAST(CONCAT('$[0].time', '_tz()') AS jsonpath))",
    `jsonb_path_exists_tz(t.j, '$[*] ? (@.time_tz() > "09:00".time_tz())')`,
    "(SELECT x.v FROM JSON_TABLE(t.j, '$[*]' COLUMNS (v text PATH '$.time_tz()')) x LIMIT 1)",
    "is_late('12:00')",
    'is_late(t.tod)',
    "~> CAST('12:00' AS time)",
    "noon() > '12:00'",
    "timetz_eq('12:00', '12:00+00')",
  ])('%s', async (expression) => {
    await reads.expectRefused(select(expression), 'volatile-function');
  });

  it.each([
    't.begins',
    't.*',
    't.id',
    "t.begins > '12:00'",
    "t.begins AT TIME ZONE 'Europe/Berlin'",
    "CASE WHEN t.id = 1 THEN t.begins ELSE '12:00' END",
    "'12:00' = ANY(t.list)",
    "to_jsonb(t) ->> 'begins'",
    "(SELECT x.b > '12:00' FROM (SELECT * FROM z) x (i, b) LIMIT 1)",
  ])('a table with such a column: %s', async (expression) => {
    await reads.expectRefused(select(expression, 'z'), 'volatile-function');
  });

  it.each([
    ['a domain', 'of_domain'],
    ['a list', 'of_list'],
    ['a row', 'of_row'],
    ['a range', 'of_range'],
    ['a view', 'openings'],
  ])('a table with such a column: %s of it', async (_what, table) => {
    await reads.expectRefused(select('t.id', table), 'volatile-function');
  });

  it.each([
    "'12:00' IN (SELECT begins FROM z)",
    "(SELECT begins FROM z UNION SELECT '12:00' LIMIT 1)",
    '(SELECT count(*) FROM z a JOIN (SELECT tod AS begins FROM m) b USING (begins))',
    "(WITH x (b) AS (SELECT begins FROM z) SELECT b > '12:00' FROM x LIMIT 1)",
    "(SELECT since > '12:00' FROM openings LIMIT 1)",
  ])('such a table in a subquery: %s', async (expression) => {
    await reads.expectRefused(select(expression), 'volatile-function');
  });
});

describe('cached', () => {
  it.each([
    'CAST(t.at AS date)',
    'CAST(t.p AS date)',
    'date(t.at)',
    'tstzrange(t.at, NULL)',
    "t.at AT TIME ZONE 'Europe/Berlin'",
    "t.plain AT TIME ZONE 'Europe/Berlin'",
    "CAST(t.at AT TIME ZONE 'UTC' AS date)",
    "date_trunc('day', t.at AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'",
    "(t.at - CAST('1 day' AS interval)) AT TIME ZONE 'UTC'",
    'to_timestamp(t.seconds)',
    'CAST(t.day AS timestamptz)',
    "CAST('2026-01-02' AS date)",
    'CAST(t.at AS time)',
    'CAST(t.day + 1 AS timestamptz)',
    'CAST(CAST(t.seconds AS text) AS numeric)',
    "to_tsvector(CAST('english' AS regconfig), t.t)",
  ])('%s', async (expression) => {
    await reads.warm(select(expression));
  });

  it.each(['date', 'age', 'version'])('a column of a subquery that is called %s', async (name) => {
    await reads.warm(select(`t.${name}`, `(SELECT id AS ${name} FROM m)`));
  });

  it('a path that reads no time of day', async () => {
    await reads.warm(select("JSON_VALUE(t.j, '$[0]')"));
  });

  it('a long text that has such a word', async () => {
    await reads.warm(select('length(:text)', 'm', { text: `Until now ${'nothing '.repeat(50)}` }));
  });
});
