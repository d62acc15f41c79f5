/** Real: PostgreSQL. A transaction of the application ends as it would without the cache. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type pg from 'pg';
import { DataSource, type EntityManager } from 'typeorm';
import { eventually } from '../../../../test/support/eventually.js';
import { DisturbedCustomers, page, set } from '../fixtures/disturbed-customers.js';
import { Customer } from '../fixtures/entities.js';

const TIMEOUT_MS = 400;

let customers: DisturbedCustomers;

describe('a transaction of the application ends as it would without the cache', () => {
  let plain: DataSource;

  beforeAll(async () => {
    customers = await DisturbedCustomers.start('transactions-end', TIMEOUT_MS, 2);
    plain = new DataSource({
      type: 'postgres',
      url: customers.databaseUrl,
      entities: [Customer],
      poolSize: 2,
      extra: { query_timeout: TIMEOUT_MS },
    });
    await plain.initialize();
  });
  afterAll(async () => {
    await customers.stop();
    await plain.destroy();
  });
  beforeEach(() => customers.begin());

  const sleep = 'SELECT pg_sleep(3)';
  const pidOf = async (manager: EntityManager): Promise<number | undefined> => {
    const [row] = await manager.query<{ pid: number }[]>('SELECT pg_backend_pid() AS pid');
    return row?.pid;
  };
  /** A server process is listed until after its client has seen the end of the connection. */
  const processIsGone = (pid: number | undefined): Promise<void> =>
    eventually(async () => {
      const { rows } = await customers.otherClient.query(
        'SELECT pid FROM pg_stat_activity WHERE pid = $1',
        [pid],
      );
      expect(rows).toEqual([]);
    });

  it.each<[string, (source: DataSource) => Promise<unknown>]>([
    [
      'statement_timeout',
      (source) =>
        source.transaction(async (manager) => {
          await manager.query('SET LOCAL statement_timeout = 50');
          await manager.update(Customer, 1, { visits: 1 });
          await manager.query(sleep);
        }),
    ],
    [
      'statement_timeout below a savepoint',
      (source) =>
        source.transaction(async (manager) => {
          await manager.query('SET LOCAL statement_timeout = 50');
          await manager.query(set(1, 1));
          await manager.transaction((inner) => inner.query(sleep)).catch(() => undefined);
          await manager.query(set(2, 2));
        }),
    ],
    [
      'idle_in_transaction_session_timeout',
      (source) =>
        source.transaction(async (manager) => {
          const client = (await manager.queryRunner?.connect()) as pg.Client;
          const hasEnded = new Promise((resolve) => client.once('end', resolve));
          const pid = await pidOf(manager);
          await manager.query('SET LOCAL idle_in_transaction_session_timeout = 200');
          await manager.query(set(1, 1));
          await hasEnded;
          await processIsGone(pid);
          await manager.query(set(2, 2));
        }),
    ],
    [
      'pg_cancel_backend',
      (source) =>
        source.transaction(async (manager) => {
          const pid = await pidOf(manager);
          await manager.query(set(1, 1));
          const cancelled = manager.query(sleep);
          const cancel = eventually(async () => {
            const { rows } = await customers.otherClient.query(
              `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND query = $2`,
              [pid, sleep],
            );
            expect(rows).toHaveLength(1);
          });
          await Promise.all([cancelled, cancel]);
        }),
    ],
    [
      'pg_terminate_backend',
      (source) =>
        source.transaction(async (manager) => {
          const pid = await pidOf(manager);
          await manager.query(set(1, 1));
          await customers.otherClient.query('SELECT pg_terminate_backend($1, 10000)', [pid]);
          await manager.query(set(2, 2));
        }),
    ],
    [
      'an error that is caught, and COMMIT',
      async (source) => {
        const runner = source.createQueryRunner();
        await runner.startTransaction();
        await runner.query(set(1, 1));
        await runner.query('SELECT 1 / 0').catch(() => undefined);
        try {
          await runner.commitTransaction();
        } finally {
          await runner.release();
        }
      },
    ],
    [
      'query_timeout, caught while the statement runs on',
      (source) =>
        source.transaction(async (manager) => {
          await manager.query(set(1, 1));
          await customers.otherClient.query('SELECT pg_advisory_lock(78)');
          await manager.query('SELECT pg_advisory_xact_lock(78)').catch(() => undefined);
          await customers.otherClient.query('SELECT pg_advisory_unlock(78)');
          await manager.query(set(2, 2));
        }),
    ],
  ])('%s', async (_how, work) => {
    const ends: unknown[] = [];
    for (const source of [plain, customers.app.source]) {
      await customers.begin();
      await customers.renewed();
      const end = await work(source).then(
        () => 'done',
        (error: Error) => error.message,
      );
      ends.push([
        end,
        await customers.visitsOf(1),
        await customers.visitsOf(2),
        await customers.left(),
      ]);
      // The connection is in its initial state.
      await source.query(set(3, 3));
      expect(await customers.visitsOf(3)).toBe(3);
    }
    expect(await customers.app.cache.run(page)).toEqual([
      [await customers.visitsOf(1), await customers.visitsOf(2), 3],
      3,
    ]);
    expect(ends[1]).toEqual(ends[0]);
  });
});
