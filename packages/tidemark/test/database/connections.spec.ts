/** Connections used in unusual ways: nothing goes unpublished, nothing hangs, nothing is left behind. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { QueryFailedError, type QueryRunner } from 'typeorm';
import { eventually } from '../../../../test/support/eventually.js';
import { Customer } from '../fixtures/entities.js';
import { eu, set, us, Visits } from '../fixtures/visits.js';

let visits: Visits;

beforeAll(async () => {
  visits = await Visits.open();
});
afterAll(() => visits.close());
beforeEach(() => visits.begin());
afterEach(() => visits.end());

describe('a query builder with its own connection', () => {
  it('is neither answered from the cache nor stored, in a transaction unknown to TypeORM', async () => {
    const runner = visits.newRunner();
    const mine = () =>
      visits.cache.run(
        visits.source.createQueryBuilder(Customer, 'c', runner).where('c.region = :r', { r: 'US' }),
      );
    await runner.query('BEGIN');
    await runner.query(set(99, 1));
    expect(await mine()).toMatchObject([{ visits: 99 }]);
    expect(await mine()).toMatchObject([{ visits: 99 }]);
    await runner.query('ROLLBACK');
    expect(await visits.cache.run(us)).toEqual([0]);
  });

  it('needs no second connection, however small the pool', async () => {
    const open = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const runner = visits.newRunner();
        await runner.startTransaction();
        return runner;
      }),
    );
    const answers = await Promise.all(
      open.map((runner) =>
        visits.cache.run(runner.manager.createQueryBuilder(Customer, 'c').where('c.id = 1')),
      ),
    );
    expect(answers).toHaveLength(5);
    for (const runner of open) await runner.rollbackTransaction();
  });
});

describe('the write set of a transaction', () => {
  it('includes a write that was sent without waiting for it', async () => {
    for (let round = 1; round <= 10; round += 1) {
      await visits.source.transaction(async (manager) => {
        void manager.query(set(round, 1));
        await Promise.resolve();
      });
      expect(await visits.cache.run(us)).toEqual([round]);
      await visits.warm();
    }
  });

  it('stays when a later user of the connection begins a transaction inside it', async () => {
    const first = visits.newRunner();
    await first.startTransaction();
    await first.query(set(5, 1));
    await first.release(); // the pool hands the connection on as it is
    const others: QueryRunner[] = [];
    for (let index = 0; index < 5; index += 1) {
      const runner = visits.newRunner();
      await runner.connect();
      others.push(runner);
    }
    // One of the five has the open transaction.
    for (const runner of others) {
      await runner.startTransaction();
      await runner.query(set(6, 2));
      await runner.commitTransaction();
    }
    for (const runner of others) await runner.release();
    expect(await visits.cache.run(us)).toEqual([5]);
    expect(await visits.cache.run(eu)).toEqual([6]);
  });
});

describe('a connection that is cut', () => {
  it('fails its statement alone, and leaves nothing in doubt', async () => {
    const slow = visits.source.query(
      'UPDATE customers SET visits = length(pg_sleep(30)::text) WHERE id = 1',
    );
    const failure = slow.then(
      () => undefined,
      (error: unknown) => error,
    );
    await eventually(async () => {
      const cut = await visits.source.query<unknown[]>(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE state = 'active' AND query LIKE 'UPDATE customers%pg_sleep(30)%' AND pid <> pg_backend_pid()`,
      );
      expect(cut).toHaveLength(1);
    });
    expect(await failure).toBeInstanceOf(QueryFailedError);
    expect(await visits.cache.run(us)).toEqual([0]);
    await visits.source.query(set(51, 1));
    expect(await visits.cache.run(us)).toEqual([51]);
    await visits.warm();
  });
});
