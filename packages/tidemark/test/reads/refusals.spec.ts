/**
 * Real: PostgreSQL. Every read that is not cached reports its reason in `Cache-Status` and in the metrics.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { SelectQueryBuilder } from 'typeorm';
import { CacheReader } from '../../src/nestjs/cache-reader.js';
import { statusOf } from '../../src/nestjs/http/cache-headers.js';
import { defineQuery } from '../../src/index.js';
import { CachedReads } from './cached-reads.js';
import { Country, LIBRARY } from './fixtures/library.entities.js';

let reads: CachedReads;
const refusals: string[] = [];

beforeAll(async () => {
  reads = await CachedReads.start(
    LIBRARY,
    [
      "INSERT INTO countries VALUES (1, 'NZ')",
      'CREATE TABLE guarded (id integer PRIMARY KEY, tenant text)',
      'ALTER TABLE guarded ENABLE ROW LEVEL SECURITY',
      "CREATE POLICY tenants ON guarded USING (tenant = current_setting('app.tenant', true))",
      'CREATE VIEW over_guarded AS SELECT * FROM guarded',
      'CREATE UNLOGGED TABLE scratch (id integer PRIMARY KEY)',
      `CREATE FUNCTION looks_up() RETURNS bigint STABLE LANGUAGE sql
         AS 'SELECT count(*) FROM countries'`,
      `CREATE FUNCTION twice(n integer) RETURNS integer IMMUTABLE LANGUAGE sql AS 'SELECT n * 2'`,
    ],
    { maxEntryBytes: 2_000 },
  );
  const { events } = reads.app.cache;
  events.on('miss', ({ refusal }) => refusals.push(refusal ?? 'stored'));
  events.on('bypass', ({ detail }) => refusals.push(detail ?? 'no detail'));
});

afterAll(() => reads.stop());

type Countries = SelectQueryBuilder<Country>;

const countries = (): Countries => reads.app.source.getRepository(Country).createQueryBuilder('c');
const where = (condition: string) => (): Countries => countries().where(condition);

/** How often the events have named the reason. */
function counted(reason: string): number {
  return refusals.filter((refusal) => refusal === reason).length;
}

it.each([
  ['volatile-function', 'a volatile function', where('random() >= 0')],
  ['volatile-function', 'the clock', where('now() IS NOT NULL')],
  ['volatile-function', 'a stable function of a user', where('looks_up() > 0')],
  ['locking-read', 'a lock', () => countries().setLock('pessimistic_read')],
  ['temporary-table', 'a temporary table', where('EXISTS (SELECT FROM pg_temp.mine)')],
  ['row-security', 'row security', where('NOT EXISTS (SELECT FROM over_guarded)')],
  ['unlogged-table', 'a table that a crash empties', where('NOT EXISTS (SELECT FROM scratch)')],
  [
    'parameter-type',
    'a value with toPostgres',
    () => where('c.name = :name')().setParameters({ name: { toPostgres: () => 'NZ' } }),
  ],
  ['too-large', 'many bytes', () => countries().addSelect('repeat(c.name, 2000)', 'c_name')],
] satisfies [string, string, () => Countries][])('%s: %s', async (reason, _what, make) => {
  const before = counted(reason);
  const outcome = await reads.app
    .get(CacheReader)
    .readJson(make(), {})
    .catch(() => undefined);
  if (outcome) {
    const forward = reason === 'too-large' ? 'miss' : 'bypass';
    expect(statusOf(outcome, 0)).toBe(`tidemark; fwd=${forward}; detail=${reason}`);
  }
  expect(counted(reason)).toBe(before + 1);
});

it('transaction', async () => {
  await reads.app.source.transaction(async (manager) => {
    const query = manager.getRepository(Country).createQueryBuilder('c');
    const outcome = await reads.app.get(CacheReader).readJson(query, {});
    expect(statusOf(outcome, 0)).toBe('tidemark; fwd=bypass; detail=transaction');
  });
  expect(counted('transaction')).toBe(1);
});

it('separate-statements: another statement than the analysed one', async () => {
  const changing = defineQuery({
    name: 'changing',
    build: () => {
      const query = countries();
      const send = query.getMany.bind(query);
      query.getMany = () => {
        query.andWhere('c.id > 1');
        return send();
      };
      return query;
    },
  });
  await reads.expectRefused(() => changing.bind(), 'separate-statements');
});

it('caches an immutable function of a user', async () => {
  expect(await reads.warm(where('twice(c.id) = 2'))).toHaveLength(1);
});
