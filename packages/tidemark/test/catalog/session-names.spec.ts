/**
 * Names that resolve differently over one connection: another search path, temporary relations.
 * Real: PostgreSQL, with one connection in the pool, so that all its statements are known.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { QueryRunner } from 'typeorm';
import { defineQuery } from '../../src/index.js';
import { CachedApplication } from '../support/cached-application.js';
import { eventually } from '../../../../test/support/eventually.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { Bystander, Customer } from '../fixtures/entities.js';

const visits = defineQuery({
  name: 'customers.visits',
  build: (source, { region }: { region: string }) =>
    source
      .getRepository(Customer)
      .createQueryBuilder('c')
      .where('c.region = :region', { region })
      .orderBy('c.id'),
  map: (customer: Customer) => customer.visits,
});
const us = visits.bind({ region: 'US' });
const eu = visits.bind({ region: 'EU' });

let app: CachedApplication;
let runner: QueryRunner;

beforeAll(async () => {
  app = await CachedApplication.start({
    databaseUrl: await createDatabase(),
    entities: [Customer, Bystander],
    synchronize: true,
  });
  await app.source.query(
    `CREATE SCHEMA shop;
     CREATE TABLE shop.customers (id int PRIMARY KEY, visits int);
     CREATE SCHEMA mirror;
     CREATE VIEW mirror.orders AS SELECT * FROM public.customers`,
  );
});

afterAll(() => app.stop());

beforeEach(async () => {
  await app.source.query('TRUNCATE customers RESTART IDENTITY');
  await app.source.getRepository(Customer).insert([
    { name: 'ann', region: 'US' },
    { name: 'cleo', region: 'EU' },
  ]);
  await warm();
  runner = app.source.createQueryRunner();
});

afterEach(async () => {
  if (runner.isTransactionActive) await runner.rollbackTransaction();
  await runner.query('DISCARD ALL');
  await runner.release();
});

async function warm(): Promise<void> {
  for (const query of [us, eu]) {
    await eventually(async () => {
      expect((await app.observe(() => app.cache.run(query))).outcomes).toEqual(['hit']);
    });
  }
}

/** Whether the answers about US and EU are still served from the cache. */
async function outcomes(): Promise<string[]> {
  const both = [
    await app.observe(() => app.cache.run(us)),
    await app.observe(() => app.cache.run(eu)),
  ];
  return both.flatMap(({ outcomes: [first = 'none'] }) => first);
}

describe('another search path', () => {
  it('finds the table of the same name in the other schema', async () => {
    await runner.query('SET search_path = shop, public');
    await runner.query('INSERT INTO customers VALUES (1, 1)');
    await runner.query('UPDATE customers SET visits = 2 WHERE id = 1');
    expect(await outcomes()).toEqual(['hit', 'hit']);
    await runner.query('UPDATE public.customers SET visits = 2 WHERE id = 1');
    expect(await app.cache.run(us)).toEqual([2]);
  });

  it.each([
    ['SET', 'SET search_path = mirror'],
    ['set_config', `SELECT set_config('search_path', 'mirror', false)`],
  ])('finds a table under another name, set by %s', async (_how, set) => {
    await runner.query(set);
    await runner.query('UPDATE orders SET visits = 3 WHERE id = 1');
    expect(await app.cache.run(us)).toEqual([3]);
  });

  it('ends with RESET, and with the transaction that it was set for', async () => {
    await runner.query('SET search_path = shop');
    await runner.query('UPDATE customers SET visits = 4 WHERE id = 1');
    await runner.query('RESET search_path');
    await runner.query('UPDATE customers SET visits = 4 WHERE id = 1');
    expect(await app.cache.run(us)).toEqual([4]);
    await warm();
    await runner.startTransaction();
    await runner.query('SET LOCAL search_path = shop');
    await runner.query('UPDATE customers SET visits = 5 WHERE id = 1');
    await runner.commitTransaction();
    expect(await outcomes()).toEqual(['hit', 'hit']);
    await runner.query('UPDATE customers SET visits = 5 WHERE id = 1');
    expect(await app.cache.run(us)).toEqual([5]);
  });

  it('ends with a savepoint that is rolled back', async () => {
    await runner.startTransaction();
    await runner.query('SAVEPOINT a');
    await runner.query('SET search_path = shop');
    await runner.query('UPDATE customers SET visits = 6 WHERE id = 1');
    await runner.query('ROLLBACK TO a');
    await runner.query('UPDATE customers SET visits = 6 WHERE id = 1');
    await runner.commitTransaction();
    expect(await app.cache.run(us)).toEqual([6]);
  });
});

describe('backslashes in texts that the parser does not read as escapes', () => {
  it('are not analysed where the server reads them as escapes', async () => {
    await runner.query('SET standard_conforming_strings = off');
    await runner.query(`UPDATE customers SET region = '\\105U' WHERE id = 1`);
    expect(await app.cache.run(us)).toEqual([]);
    expect(await app.cache.run(eu)).toHaveLength(2);
  });
});

describe('temporary relations', () => {
  it('hide a table: a write to one ends no answer', async () => {
    await runner.query('CREATE TEMP TABLE customers (id int, visits int)');
    await warm();
    await runner.query('INSERT INTO customers VALUES (1, 1)');
    await runner.query('UPDATE pg_temp.customers SET visits = 9');
    expect(await outcomes()).toEqual(['hit', 'hit']);
    await runner.query('DROP TABLE pg_temp.customers');
    await runner.query('UPDATE customers SET visits = 7 WHERE id = 1');
    expect(await app.cache.run(us)).toEqual([7]);
  });

  it('may lead to a table under any name', async () => {
    await runner.query('CREATE TEMP VIEW bystanders AS SELECT * FROM customers');
    await warm();
    await runner.query('UPDATE bystanders SET visits = 8 WHERE id = 1');
    expect(await app.cache.run(us)).toEqual([8]);
  });

  it('no longer count once their transaction has dropped them', async () => {
    await runner.startTransaction();
    await runner.query('CREATE TEMP TABLE customers (id int, visits int) ON COMMIT DROP');
    await runner.commitTransaction();
    await warm();
    await runner.query('UPDATE customers SET visits = 10 WHERE id = 1');
    expect(await app.cache.run(us)).toEqual([10]);
  });
});
