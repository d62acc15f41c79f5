/** Real: PostgreSQL. Queries given as SQL text. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { defineQuery, NotASelectError, sqlQuery, type BoundQuery } from '../../src/index.js';
import { CachedReads } from './cached-reads.js';
import { Author, LIBRARY } from './fixtures/library.entities.js';

let reads: CachedReads;

beforeAll(async () => {
  reads = await CachedReads.start(LIBRARY, [], {}, { invalidation: { triggers: 'install' } });
});

afterAll(() => reads.stop());

const all = (): BoundQuery => sqlQuery('SELECT count(*)::int AS n FROM authors');

beforeEach(async () => {
  await reads.write('DELETE FROM authors');
  await reads.write(
    "INSERT INTO authors (id, name, region) VALUES (1, 'Ann', 'US'), (2, 'Bob', 'EU')",
  );
  await reads.warm(all);
});

const named = defineQuery({
  name: 'authors.named',
  sql: 'SELECT id, name FROM authors WHERE region = $1 ORDER BY id',
  parameters: ({ region }: { region: string }) => [region],
  map: ({ id, name }: { id: number; name: string }) => `${id} ${name}`,
});

it('a definition of SQL text is stored with its map, by region', async () => {
  const us = (): BoundQuery<string[]> => named.bind({ region: 'US' });
  expect(await reads.warm(us)).toEqual(['1 Ann']);
  await reads.write("UPDATE authors SET name = 'Bo' WHERE id = 2");
  await reads.expectHit(us, ['1 Ann']);
  await reads.write("UPDATE authors SET region = 'US' WHERE id = 2");
  await reads.expectAnew(us, ['1 Ann', '2 Bo']);
});

it('a text with parameters is restricted to their region', async () => {
  const ids = (region: string) => (): BoundQuery =>
    sqlQuery('SELECT id FROM authors WHERE region = ANY ($1)', [[region]]);
  expect(await reads.warm(ids('US'))).toEqual([{ id: 1 }]);
  expect(await reads.warm(ids('EU'))).toEqual([{ id: 2 }]);
  await reads.write('DELETE FROM authors WHERE id = 2');
  await reads.expectHit(ids('US'), [{ id: 1 }]);
  await reads.expectAnew(ids('EU'), []);
});

it('the text is sent once, as it is', async () => {
  const text = 'WITH u AS (SELECT * FROM authors) SELECT max(u.id) AS "top", \':a\' AS b FROM u';
  const { statements, value } = await reads.read(sqlQuery(text));
  expect(value).toEqual([{ top: 2, b: ':a' }]);
  expect(statements.filter((sent) => sent === text)).toHaveLength(1);
});

it('keeps the parameters of its call', async () => {
  const parameters = [1];
  const query = sqlQuery('SELECT name FROM authors WHERE id = $1', parameters);
  parameters[0] = 2;
  expect((await reads.read(query)).value).toEqual([{ name: 'Ann' }]);
});

describe('what cannot be proven runs past the cache', () => {
  it.each([
    ['volatile-function', 'SELECT random() < 2 AS is FROM authors'],
    ['locking-read', 'SELECT id FROM authors FOR UPDATE'],
    ['unknown-function', 'SELECT nobody_knows(id) FROM authors'],
  ])('%s', async (reason, text) => {
    const reading = reads.expectRefused(() => sqlQuery(text), reason);
    if (reason === 'unknown-function') await expect(reading).rejects.toThrow('nobody_knows');
    else expect(await reading).toHaveLength(2);
  });

  it('a common table expression that writes: it writes once, and ends what it has changed', async () => {
    const text = `WITH gone AS (DELETE FROM authors WHERE id = 2 RETURNING id) SELECT id FROM gone`;
    expect(await reads.read(sqlQuery(text))).toMatchObject({
      value: [{ id: 2 }],
      outcome: 'bypass',
    });
    await reads.expectAnew(all, [{ n: 1 }]);
  });
});

describe('a text that is not one SELECT', () => {
  it.each([
    "UPDATE authors SET name = 'x'",
    'WITH x AS (SELECT 1) DELETE FROM authors',
    'TRUNCATE authors CASCADE',
    'SELECT 1; DELETE FROM authors',
    '',
  ])('is refused before it is sent: %s', async (text) => {
    const { cache } = reads.app;
    await expect(cache.query(text)).rejects.toThrow(NotASelectError);
    await expect(cache.query(text, [], { name: 'purge' })).rejects.toThrow(
      /query purge must be one SELECT.*DataSource\.query/,
    );
    await reads.expectHit(all, [{ n: 2 }]);
    expect(cache.explain(sqlQuery(text))).toMatchObject({ cacheable: false });
  });

  it('is refused by the server if it is no SQL', async () => {
    await expect(reads.app.cache.query('SELEKT 1')).rejects.toThrow('syntax error');
  });
});

it('runs in the transaction of its manager', async () => {
  await reads.app.source.transaction(async (manager) => {
    await manager.delete(Author, 1);
    const rows = await reads.app.cache.query('SELECT id FROM authors', [], { manager });
    expect(rows).toEqual([{ id: 2 }]);
  });
});
