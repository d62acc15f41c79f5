/**
 * Real: PostgreSQL. Headers that are stored with an answer are those of the parameters it was
 * asked with, whether the SQL has these or not.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CacheReader } from '../../src/nestjs/cache-reader.js';
import type { JsonOutcome } from '../../src/nestjs/planned-reads.js';
import { defineQuery, type BoundQuery } from '../../src/index.js';
import { eventually } from '../../../../test/support/eventually.js';
import { CachedReads } from './cached-reads.js';
import { Country, LIBRARY } from './fixtures/library.entities.js';

let reads: CachedReads;

beforeAll(async () => {
  reads = await CachedReads.start(LIBRARY, ["INSERT INTO countries VALUES (1, 'NZ')"]);
});

afterAll(() => reads.stop());

const countries = defineQuery({
  name: 'countries',
  build: (source, _: { page: unknown }) => source.getRepository(Country).createQueryBuilder('c'),
  headers: (_rows, { page }) => ({ link: `</countries?page=${String(page)}>; rel="self"` }),
});

function read(page: unknown): Promise<JsonOutcome> {
  const query = countries.bind({ page }) as unknown as BoundQuery;
  return reads.app.get(CacheReader).readJson(query, {});
}

async function hit(page: unknown): Promise<unknown> {
  let headers: unknown;
  await eventually(async () => {
    const outcome = await read(page);
    expect(outcome.source).toBe('hit');
    headers = outcome.source === 'hit' && outcome.entry.headers;
  });
  return headers;
}

it('keeps them apart by the parameters', async () => {
  expect(await hit('one')).toEqual({ link: '</countries?page=one>; rel="self"' });
  expect(await hit('two')).toEqual({ link: '</countries?page=two>; rel="self"' });
  expect(await hit('one')).toEqual({ link: '</countries?page=one>; rel="self"' });
});

it('stores none whose parameters have no exact text', async () => {
  expect(await read(new (class Page {})())).toMatchObject({
    source: 'bypass',
    detail: 'parameter-type',
  });
});
