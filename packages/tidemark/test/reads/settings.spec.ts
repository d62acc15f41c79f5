/**
 * Real: PostgreSQL. The settings that an answer depends on: set for a database, left behind on a connection, or
 * reloaded by the server while connections are open.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { setTimeout as pause } from 'node:timers/promises';
import { defineQuery, type BoundQuery } from '../../src/index.js';
import { eventually } from '../../../../test/support/eventually.js';
import { PostgresServer } from '../../../../test/support/postgres-server.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { CachedReads } from './cached-reads.js';

let reads: CachedReads;

/** A value and nothing else, under a name that makes its text unique. */
function value(expression: string, name = 'x', parameters = {}): () => BoundQuery {
  const query = defineQuery({
    name,
    shape: 'raw',
    build: (source, p: Record<string, unknown>) =>
      source.createQueryBuilder().select(expression, name).from('one', 't').setParameters(p),
  });
  return () => query.bind(parameters);
}

async function withoutCache(query: () => BoundQuery): Promise<unknown> {
  return query().build(reads.app.source).getRawMany();
}

const TABLE = [
  'CREATE TABLE one (id integer PRIMARY KEY, t text)',
  "INSERT INTO one VALUES (1, 'é')",
];

describe('of a database', () => {
  afterEach(() => reads.stop());

  it.each([
    ['standard_conforming_strings', 'off'],
    ['array_nulls', 'off'],
    ['transform_null_equals', 'on'],
  ])('caches nothing while %s is %s', async (setting, off) => {
    const url = await createDatabase();
    reads = await CachedReads.over(url);
    for (const statement of TABLE) await reads.write(statement);
    const database = new URL(url).pathname.slice(1);
    await reads.write(`ALTER DATABASE "${database}" SET ${setting} = ${off}`);
    await reads.stop();

    reads = await CachedReads.over(url);
    await reads.expectRefused(value('t.id'), 'session-settings');
    expect(reads.app.cache.explain(value('t.id')())).toMatchObject({
      cacheable: false,
      detail: expect.stringContaining(setting),
    });
  });
});

describe('left on a connection', () => {
  beforeAll(async () => {
    reads = await CachedReads.start([], TABLE);
    await reads.warm(value('t.id'));
  });

  afterAll(() => reads.stop());

  it.each([
    ['client_encoding', 'LATIN1', value('t.t', 'a')],
    ['timezone_abbreviations', "'Australia'", value("'2026-01-01 00:00 EST'::timestamptz", 'b')],
    ['quote_all_identifiers', 'on', value('quote_ident(t.t)', 'c')],
    ['gin_fuzzy_search_limit', '1', value('t.id', 'd')],
    ['array_nulls', 'off', value('CAST(:list AS text[])', 'e', { list: [null] })],
    ['transform_null_equals', 'on', value('t.t = NULL', 'f')],
    ['standard_conforming_strings', 'off', value("'a\\\\b'", 'g')],
  ])('detects %s', async (setting, other, query) => {
    await reads.leaveBehind(`SET ${setting} = ${other}`);
    await reads.expectRefused(query, 'session-settings');
    await reads.leaveBehind(`RESET ${setting}`);
    await reads.leaveBehind("SET client_encoding = 'UTF8'");
    expect(await reads.warm(query)).toEqual(await withoutCache(query));
  });
});

describe('of a server that reloads its configuration', () => {
  let server: PostgresServer;

  beforeAll(async () => {
    server = await PostgresServer.start();
    reads = await CachedReads.over(await server.createDatabase());
    for (const statement of TABLE) await reads.write(statement);
  });

  afterAll(async () => {
    await reads.stop();
    await server.stop();
  });

  /** Answers once connections have it. */
  async function configure(setting: string): Promise<void> {
    await server.psql(`ALTER SYSTEM ${setting}`);
    await server.psql('SELECT pg_reload_conf()');
    await pause(200);
  }

  it('stores no answer under a changed setting that the server reports', async () => {
    const moment = value("'2026-01-02 00:00+00'::timestamptz::text", 'moment');
    const before = await reads.warm(moment);
    await reads.warm(value('t.id', 'checked'));

    await configure("SET DateStyle = 'German'");
    const other = value("'2026-01-02 00:00+00'::timestamptz::text", 'other');
    expect((await reads.read(other())).value).toEqual(await withoutCache(other));

    await eventually(async () => expect((await reads.read(moment())).value).not.toEqual(before));
    expect(await reads.warm(moment)).toEqual(await withoutCache(moment));
    expect(await reads.warm(other)).toEqual(await withoutCache(other));
  });

  it('ends answers stored before it noticed another setting', async () => {
    const bytes = value("'\\x01'::bytea::text", 'bytes');
    const hex = await reads.warm(bytes);
    await reads.warm(value('t.id', 'again'));

    await configure("SET bytea_output = 'escape'");
    const early = value("'\\x01'::bytea::text", 'early');
    const [seen] = (await reads.read(early())).value as [object];
    expect(seen).toEqual({ early: '\\001' });
    await configure('RESET bytea_output');

    await pause(1_000);
    await reads.read(value('t.id', 'third')());
    expect(await reads.warm(bytes)).toEqual(hex);
    expect(await reads.warm(early)).toEqual([{ early: '\\x01' }]);
  });

  it('goes on under the new settings', async () => {
    const bytes = value("'\\x01'::bytea::text", 'bytes');
    await reads.warm(bytes);
    await configure("SET bytea_output = 'escape'");
    await pause(1_000);
    await reads.read(value('t.id', 'fourth')());

    await eventually(async () =>
      expect((await reads.read(bytes())).value).toEqual([{ bytes: '\\001' }]),
    );
    expect(await reads.warm(bytes)).toEqual([{ bytes: '\\001' }]);
  });
});
