/** Real: PostgreSQL. A transaction that the cache has opened ends, also where its statement gets no answer. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CatalogCache } from '../../src/typeorm/database/catalog-cache.js';
import { eventually } from '../../../../test/support/eventually.js';
import { DisturbedCustomers, page, set } from '../fixtures/disturbed-customers.js';
import { Customer } from '../fixtures/entities.js';

const TIMEOUT_MS = 400;

let customers: DisturbedCustomers;

describe('a statement that node-postgres gives up', () => {
  beforeAll(async () => {
    customers = await DisturbedCustomers.start('given-up', TIMEOUT_MS, 1);
  });
  afterAll(() => customers.stop());
  beforeEach(() => customers.begin());
  afterEach(() => customers.otherClient.query('ROLLBACK'));

  it.each<[string, (visits: number, id: number) => Promise<unknown>]>([
    [
      'with parameters',
      (visits, id) => customers.app.source.getRepository(Customer).update(id, { visits }),
    ],
    ['without parameters', (visits, id) => customers.app.source.query(set(visits, id))],
    [
      'that returns its written rows',
      (visits, id) =>
        customers.app.source.query(
          'UPDATE customers SET visits = $1 WHERE id = $2 RETURNING id, region',
          [visits, id],
        ),
    ],
  ])('is rolled back, and later ones are committed: %s', async (_how, write) => {
    await customers.otherClient.query('BEGIN');
    await customers.otherClient.query('SELECT FROM customers WHERE id = 1 FOR UPDATE');
    await expect(write(1, 1)).rejects.toThrow('Query read timeout');
    await write(2, 2);
    await write(3, 3);
    expect([await customers.visitsOf(2), await customers.visitsOf(3)]).toEqual([2, 3]);
    await customers.otherClient.query('ROLLBACK');
    await eventually(async () => expect(await customers.left()).toEqual([]));
    expect(await customers.renewed()).toEqual([[0, 2, 3], 3]);
  });

  it('takes the transaction of the application with it, also where ROLLBACK gets no answer', async () => {
    await customers.otherClient.query('BEGIN');
    await customers.otherClient.query('SELECT FROM customers WHERE id = 1 FOR UPDATE');
    const work = customers.app.source.transaction(async (manager) => {
      await manager.query(set(7, 2));
      await manager.query(set(7, 1));
    });
    await expect(work).rejects.toThrow('Query read timeout');
    await customers.otherClient.query('ROLLBACK');
    await customers.app.source.query(set(3, 3));
    await customers.app.get(CatalogCache).reload();
    expect([await customers.visitsOf(2), await customers.visitsOf(3)]).toEqual([0, 3]);
    await eventually(async () => expect(await customers.left()).toEqual([]));
  });

  it('a transaction that was left open is never committed by one of the cache', async () => {
    const runner = customers.app.source.createQueryRunner();
    await runner.startTransaction();
    await runner.query(set(9, 2));
    await runner.release();
    await expect(customers.app.get(CatalogCache).reload()).rejects.toThrow('left in a transaction');
    await customers.app.get(CatalogCache).reload();
    expect(await customers.visitsOf(2)).toBe(0);
  });

  it('leaves no snapshot behind, where it is one of several statements of an answer', async () => {
    await customers.otherClient.query('BEGIN');
    await customers.otherClient.query('LOCK TABLE customers IN ACCESS EXCLUSIVE MODE');
    await expect(customers.app.cache.run(page)).rejects.toThrow('Query read timeout');
    await customers.otherClient.query(set(7, 1));
    await customers.otherClient.query('COMMIT');
    const read = (): Promise<number[]> =>
      customers.app.source
        .getRepository(Customer)
        .find({ order: { id: 'ASC' } })
        .then((found) => found.map(({ visits }) => visits));
    expect(await read()).toEqual([7, 0, 0]);
    await customers.otherClient.query(set(8, 1));
    expect(await read()).toEqual([8, 0, 0]);
    expect(await customers.app.source.query('SHOW transaction_isolation')).toEqual([
      { transaction_isolation: 'read committed' },
    ]);
  });

  it('does not count as rolled back where it is COMMIT', async () => {
    await customers.otherClient.query(`
      CREATE OR REPLACE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN PERFORM pg_sleep(1); RETURN NULL; END $$;
      CREATE CONSTRAINT TRIGGER dawdle AFTER UPDATE ON customers
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION dawdle()`);
    await customers.renewed();
    try {
      await expect(customers.app.source.query(set(5, 1))).rejects.toThrow('Query read timeout');
      await eventually(async () => {
        expect([await customers.visitsOf(1), await customers.app.cache.run(page)]).toEqual([
          5,
          [[5, 0, 0], 3],
        ]);
      });
      expect(await customers.renewed()).toEqual([[5, 0, 0], 3]);
    } finally {
      await customers.otherClient.query('DROP TRIGGER dawdle ON customers');
    }
  });
});

describe('a statement that commits by itself, and that node-postgres gives up', () => {
  beforeAll(async () => {
    customers = await DisturbedCustomers.start('given-up-alone', TIMEOUT_MS, 3);
  });
  afterAll(() => customers.stop());
  beforeEach(() => customers.begin());

  it('keeps its answers out of the cache until it has ended', async () => {
    await customers.otherClient.query(`
      CREATE PROCEDURE waits() LANGUAGE plpgsql AS $$ BEGIN
        PERFORM pg_advisory_lock(77); UPDATE customers SET visits = 9 WHERE id = 1; END $$`);
    await customers.renewed();
    await customers.otherClient.query('SELECT pg_advisory_lock(77)');
    const runner = customers.app.source.createQueryRunner();
    await expect(runner.query('CALL waits()')).rejects.toThrow('Query read timeout');
    for (let time = 0; time < 5; time += 1) {
      expect(await customers.app.cache.run(page)).toEqual([[0, 0, 0], 3]);
    }
    await customers.otherClient.query('SELECT pg_advisory_unlock(77)');
    await eventually(async () => expect(await customers.visitsOf(1)).toBe(9));
    expect(await customers.app.cache.run(page)).toEqual([[9, 0, 0], 3]);
    await runner.release();
    expect(await customers.renewed()).toEqual([[9, 0, 0], 3]);
  });
});
