/**
 * Real: PostgreSQL. Settings left behind on a connection of the pool never change answers that others share.
 */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { CachedReads } from './cached-reads.js';
import { Country, LIBRARY } from './fixtures/library.entities.js';

let reads: CachedReads;

beforeAll(async () => {
  reads = await CachedReads.start(LIBRARY, [
    "INSERT INTO countries VALUES (1, 'NZ')",
    'CREATE SCHEMA elsewhere',
    'CREATE TABLE elsewhere.countries (id integer PRIMARY KEY, name text)',
    "INSERT INTO elsewhere.countries VALUES (1, 'hidden')",
    'CREATE ROLE tidemark_reads_guest',
    'GRANT SELECT ON countries TO tidemark_reads_guest',
  ]);
  // From here on the settings of an unchanged connection are known.
  await reads.warm(fresh());
});

afterAll(async () => {
  await reads.write('DROP OWNED BY tidemark_reads_guest');
  await reads.write('DROP ROLE tidemark_reads_guest');
  await reads.stop();
});

let name = 0;
/** A query that was never asked before. */
function fresh(): () => ReturnType<typeof build> {
  name += 1;
  const alias = `c${name}`;
  return () => build(alias);
}

function build(alias: string) {
  return reads.app.source.getRepository(Country).createQueryBuilder(alias);
}

const NZ = [{ id: 1, name: 'NZ' }];

let undo = '';
afterEach(() => reads.leaveBehind(undo));

it('detects another search path', async () => {
  undo = 'RESET search_path';
  const countries = fresh();
  await reads.leaveBehind('SET search_path TO elsewhere, public');
  expect(await reads.expectRefused(countries, 'session-settings')).toEqual([
    { id: 1, name: 'hidden' },
  ]);
  await reads.leaveBehind(undo);
  expect(await reads.warm(countries)).toEqual(NZ);
});

it('detects another role', async () => {
  undo = 'RESET ROLE';
  await reads.leaveBehind('SET ROLE tidemark_reads_guest');
  await reads.expectRefused(fresh(), 'session-settings');
});

it('detects a temporary table', async () => {
  undo = 'DROP TABLE pg_temp.countries';
  const countries = fresh();
  await reads.leaveBehind("CREATE TEMP TABLE countries AS SELECT 1 AS id, 'mine' AS name");
  expect(await reads.expectRefused(countries, 'temporary-table')).toEqual([
    { id: 1, name: 'mine' },
  ]);
});

it('detects an open transaction', async () => {
  undo = 'ROLLBACK';
  const countries = fresh();
  await reads.leaveBehind('BEGIN');
  await reads.expectRefused(countries, 'transaction');
  await reads.leaveBehind(undo);
  expect(await reads.warm(countries)).toEqual(NZ);
});

it('asks a connection once while no other user has it', async () => {
  undo = 'SELECT 1';
  await reads.warm(fresh());
  const { statements } = await reads.read(fresh()());
  expect(statements).toHaveLength(1);
});
