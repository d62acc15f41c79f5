import { describe, expect, it } from 'vitest';
import type { DataSource } from 'typeorm';
import { defineQuery } from '../typeorm/queries/define-query.js';
import { sqlQuery } from '../typeorm/queries/inline-queries.js';
import type { CacheReader } from './cache-reader.js';
import { QueryCaches } from './query-caches.js';

/** Not connected, so they may lead to one database. */
const source = { isInitialized: false } as DataSource;
const reader = {} as CacheReader;
const DEFAULTS = { enabled: true, readOnly: false, namespace: 'a', redis: undefined };
const at = (url: string) => ({ redis: { url, timeoutMs: 500 } });

async function add(one: object, other: object): Promise<void> {
  const caches = new QueryCaches();
  await caches.add('default', { source, reader, options: { ...DEFAULTS, ...one } });
  await caches.add('other', { source, reader, options: { ...DEFAULTS, ...other } });
}

describe('two caches over one database', () => {
  it.each([
    ['in memory, one namespace', {}, {}],
    ['one over Redis', at('redis://r/0'), {}],
    ['two databases of Redis', at('redis://r/0'), at('redis://r/1')],
    ['two namespaces, one that only reads', {}, { namespace: 'b', readOnly: true }],
  ])('that miss the writes of each other are refused: %s', async (_, one, other) => {
    await expect(add(one, other)).rejects.toThrow('would miss the writes of the other');
  });

  it.each([
    ['one Redis', at('redis://r/0'), at('redis://r/0')],
    ['one Redis, one that only reads', at('redis://r/0'), { ...at('redis://r/0'), readOnly: true }],
    ['two namespaces', {}, { namespace: 'b' }],
    ['one disabled', {}, { enabled: false }],
  ])('that see the writes of each other are accepted: %s', async (_, one, other) => {
    await expect(add(one, other)).resolves.toBeUndefined();
  });
});

it('an inline query of a data source without a cache is refused, and not run by the cache of another', async () => {
  const caches = new QueryCaches();
  await caches.add('reporting', { source, reader, options: DEFAULTS });
  expect(() => caches.readerOf(sqlQuery('SELECT 1'))).toThrow('"default", which has no cache');
  expect(caches.readerOf(sqlQuery('SELECT 1', [], { dataSource: 'reporting' }))).toBe(reader);
});

it('definitions that differ in their data source alone have different keys', () => {
  const sql = 'SELECT id FROM users';
  const keyTexts = ['a', 'b'].map((dataSource) =>
    defineQuery({ name: 'users', dataSource, sql, map: ({ id }: { id: number }) => id }).bind(),
  );
  expect(keyTexts[0]?.keyText).not.toBe(keyTexts[1]?.keyText);
});
