/**
 * Real: PostgreSQL. A transaction that the cache has opened ends, also where its statement gets no answer; and
 * one of the application ends as it would without the cache.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { DataSource, type EntityManager } from 'typeorm';
import { DatabaseSchema, defineQuery } from '../../src/query-cache/index.js';
import { CachedApplication } from '../support/cached-application.js';
import { eventually } from '../support/eventually.js';
import { createDatabase } from '../support/shared-postgres.js';
import { Customer } from './fixtures/entities.js';

const TIMEOUT_MS = 400;
const APPLICATION = 'transactions-end';

const page = defineQuery({
  name: 'customers.page',
  shape: 'many-and-count',
  build: (source, _: Record<string, never>) =>
    source.getRepository(Customer).createQueryBuilder('c').orderBy('c.id'),
  map: ({ visits }) => visits,
}).bind({});

let databaseUrl: string;
let stranger: pg.Client;
let app: CachedApplication;

/** One connection, so that whatever is left in it is met by the next statement. */
const start = (extra: object, poolSize = 1): Promise<CachedApplication> =>
  CachedApplication.start({
    databaseUrl,
    entities: [Customer],
    synchronize: true,
    poolSize,
    cache: { markLeaseMs: 200 },
    extra: { application_name: APPLICATION, ...extra },
  });

const set = (visits: number, id: number): string =>
  `UPDATE customers SET visits = ${visits} WHERE id = ${id}`;

async function visitsOf(id: number): Promise<unknown> {
  const { rows } = await stranger.query('SELECT visits FROM customers WHERE id = $1', [id]);
  return (rows as { visits: number }[])[0]?.visits;
}

async function left(): Promise<unknown[]> {
  const { rows } = await stranger.query(
    `SELECT state, query FROM pg_stat_activity
      WHERE application_name = $1 AND state LIKE 'idle in transaction%'`,
    [APPLICATION],
  );
  return rows as unknown[];
}

const renewed = async (): Promise<unknown> => {
  await eventually(async () => {
    const { outcomes } = await app.observe(() => app.cache.run(page));
    expect(outcomes).toEqual(['hit']);
  });
  return app.cache.run(page);
};

beforeAll(async () => {
  databaseUrl = await createDatabase();
  stranger = new pg.Client({ connectionString: databaseUrl });
  await stranger.connect();
});
afterAll(() => stranger.end());

async function begin(): Promise<void> {
  await app.source.query('TRUNCATE customers RESTART IDENTITY');
  await stranger.query(
    `INSERT INTO customers (name, region, visits) VALUES ('ann', 'US', 0), ('bob', 'EU', 0), ('cleo', 'US', 0)`,
  );
}

describe('a statement that node-postgres gives up', () => {
  beforeAll(async () => {
    app = await start({ query_timeout: TIMEOUT_MS });
  });
  afterAll(() => app.stop());
  beforeEach(begin);
  afterEach(() => stranger.query('ROLLBACK'));

  it.each<[string, (visits: number, id: number) => Promise<unknown>]>([
    ['with parameters', (visits, id) => app.source.getRepository(Customer).update(id, { visits })],
    ['without parameters', (visits, id) => app.source.query(set(visits, id))],
    [
      'that returns what it wrote',
      (visits, id) =>
        app.source.query('UPDATE customers SET visits = $1 WHERE id = $2 RETURNING id, region', [
          visits,
          id,
        ]),
    ],
  ])('is rolled back, and later ones are committed: %s', async (_how, write) => {
    await stranger.query('BEGIN');
    await stranger.query('SELECT FROM customers WHERE id = 1 FOR UPDATE');
    await expect(write(1, 1)).rejects.toThrow('Query read timeout');
    await write(2, 2);
    await write(3, 3);
    expect([await visitsOf(2), await visitsOf(3)]).toEqual([2, 3]);
    await stranger.query('ROLLBACK');
    await eventually(async () => expect(await left()).toEqual([]));
    expect(await renewed()).toEqual([[0, 2, 3], 3]);
  });

  it('takes the transaction of the application with it, also where ROLLBACK gets no answer', async () => {
    await stranger.query('BEGIN');
    await stranger.query('SELECT FROM customers WHERE id = 1 FOR UPDATE');
    const work = app.source.transaction(async (manager) => {
      await manager.query(set(7, 2));
      await manager.query(set(7, 1));
    });
    await expect(work).rejects.toThrow('Query read timeout');
    await stranger.query('ROLLBACK');
    await app.source.query(set(3, 3));
    await app.get(DatabaseSchema).reload();
    expect([await visitsOf(2), await visitsOf(3)]).toEqual([0, 3]);
    await eventually(async () => expect(await left()).toEqual([]));
  });

  it('a transaction that was left open is never committed by one of the cache', async () => {
    const runner = app.source.createQueryRunner();
    await runner.startTransaction();
    await runner.query(set(9, 2));
    await runner.release();
    await expect(app.get(DatabaseSchema).reload()).rejects.toThrow('left in a transaction');
    await app.get(DatabaseSchema).reload();
    expect(await visitsOf(2)).toBe(0);
  });

  it('leaves no snapshot behind, where it is one of several of an answer', async () => {
    await stranger.query('BEGIN');
    await stranger.query('LOCK TABLE customers IN ACCESS EXCLUSIVE MODE');
    await expect(app.cache.run(page)).rejects.toThrow('Query read timeout');
    await stranger.query(set(7, 1));
    await stranger.query('COMMIT');
    const read = (): Promise<number[]> =>
      app.source
        .getRepository(Customer)
        .find({ order: { id: 'ASC' } })
        .then((customers) => customers.map(({ visits }) => visits));
    expect(await read()).toEqual([7, 0, 0]);
    await stranger.query(set(8, 1));
    expect(await read()).toEqual([8, 0, 0]);
    expect(await app.source.query('SHOW transaction_isolation')).toEqual([
      { transaction_isolation: 'read committed' },
    ]);
  });

  it('is not taken for rolled back, where it is COMMIT', async () => {
    await stranger.query(`
      CREATE OR REPLACE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN PERFORM pg_sleep(1); RETURN NULL; END $$;
      CREATE CONSTRAINT TRIGGER dawdle AFTER UPDATE ON customers
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION dawdle()`);
    await renewed();
    try {
      await expect(app.source.query(set(5, 1))).rejects.toThrow('Query read timeout');
      await eventually(async () => {
        expect([await visitsOf(1), await app.cache.run(page)]).toEqual([5, [[5, 0, 0], 3]]);
      });
      expect(await renewed()).toEqual([[5, 0, 0], 3]);
    } finally {
      await stranger.query('DROP TRIGGER dawdle ON customers');
    }
  });
});

describe('a statement that commits by itself, and that node-postgres gives up', () => {
  beforeAll(async () => {
    app = await start({ query_timeout: TIMEOUT_MS }, 3);
  });
  afterAll(() => app.stop());
  beforeEach(begin);

  it('keeps its answers out of the cache until it has ended', async () => {
    await stranger.query(`
      CREATE PROCEDURE waits() LANGUAGE plpgsql AS $$ BEGIN
        PERFORM pg_advisory_lock(77); UPDATE customers SET visits = 9 WHERE id = 1; END $$`);
    await renewed();
    await stranger.query('SELECT pg_advisory_lock(77)');
    const runner = app.source.createQueryRunner();
    await expect(runner.query('CALL waits()')).rejects.toThrow('Query read timeout');
    for (let time = 0; time < 5; time += 1) {
      expect(await app.cache.run(page)).toEqual([[0, 0, 0], 3]);
    }
    await stranger.query('SELECT pg_advisory_unlock(77)');
    await eventually(async () => expect(await visitsOf(1)).toBe(9));
    expect(await app.cache.run(page)).toEqual([[9, 0, 0], 3]);
    await runner.release();
    expect(await renewed()).toEqual([[9, 0, 0], 3]);
  });
});

describe('a transaction of the application ends as it would without the cache', () => {
  let plain: DataSource;

  beforeAll(async () => {
    app = await start({ query_timeout: TIMEOUT_MS }, 2);
    plain = new DataSource({
      type: 'postgres',
      url: databaseUrl,
      entities: [Customer],
      poolSize: 2,
      extra: { query_timeout: TIMEOUT_MS },
    });
    await plain.initialize();
  });
  afterAll(async () => {
    await app.stop();
    await plain.destroy();
  });
  beforeEach(begin);

  const sleep = 'SELECT pg_sleep(3)';
  const pidOf = async (manager: EntityManager): Promise<number | undefined> => {
    const [row] = await manager.query<{ pid: number }[]>('SELECT pg_backend_pid() AS pid');
    return row?.pid;
  };

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
          await manager.query('SET LOCAL idle_in_transaction_session_timeout = 20');
          await manager.query(set(1, 1));
          await delay(150);
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
            const { rows } = await stranger.query(
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
          await stranger.query('SELECT pg_terminate_backend($1, 10000)', [pid]);
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
      'query_timeout, caught while the statement goes on',
      (source) =>
        source.transaction(async (manager) => {
          await manager.query(set(1, 1));
          await stranger.query('SELECT pg_advisory_lock(78)');
          await manager.query('SELECT pg_advisory_xact_lock(78)').catch(() => undefined);
          await stranger.query('SELECT pg_advisory_unlock(78)');
          await manager.query(set(2, 2));
        }),
    ],
  ])('%s', async (_how, work) => {
    const ends: unknown[] = [];
    for (const source of [plain, app.source]) {
      await begin();
      await renewed();
      const end = await work(source).then(
        () => 'done',
        (error: Error) => error.message,
      );
      ends.push([end, await visitsOf(1), await visitsOf(2), await left()]);
      // The connection is as new.
      await source.query(set(3, 3));
      expect(await visitsOf(3)).toBe(3);
    }
    expect(await app.cache.run(page)).toEqual([[await visitsOf(1), await visitsOf(2), 3], 3]);
    expect(ends[1]).toEqual(ends[0]);
  });
});
