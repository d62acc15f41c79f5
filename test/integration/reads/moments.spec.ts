/**
 * Real: PostgreSQL. A text that is read as a date may name a moment that moves with the clock,
 * and a time of day gets the offset of the present date: neither is cached. Dates are.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { defineQuery, type BoundQuery } from '../../../src/query-cache/index.js';
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
      `CREATE TABLE m (id integer PRIMARY KEY, t text, c char(10), d word, a text[], j jsonb, n name,
         l text COLLATE loose, g text GENERATED ALWAYS AS (t || '') STORED, at timestamptz,
         plain timestamp, day date, tod time, zoned timetz, p past, seconds numeric)`,
      `INSERT INTO m (id, t, c, d, a, j, n, l, at, plain, day, tod, zoned, p, seconds)
         VALUES (1, 'now', 'now', 'now', '{now}', '{"at":"now"}', 'now', 'now', '2026-01-02 03:04Z',
           '2026-01-02 03:04', '2026-01-02', '10:00', '10:00+00', '2026-01-02 03:04Z', 5)`,
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
    await reads.expectRefused(() => query.bind({}), 'volatile-function');
  });

  it('a value of a function', () => {
    const query = select('f.timestamptz', 'unnest(ARRAY[CAST(1 AS text)])');
    expect(reads.app.cache.explain(query())).toMatchObject({ cacheable: false });
  });
});

describe('not cached: a written or sent word', () => {
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
    "t.zoned AT TIME ZONE 'Europe/Berlin'",
    "timezone('Europe/Berlin', t.zoned)",
    "t.zoned > '10:00'",
    "t.zoned IN ('10:00', '11:00')",
  ])('%s', async (expression) => {
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

  it('a time of day with a zone as it is', async () => {
    await reads.warm(select('t.zoned'));
  });

  it('a long text that has such a word', async () => {
    await reads.warm(select('length(:text)', 'm', { text: `Until now ${'nothing '.repeat(50)}` }));
  });
});
