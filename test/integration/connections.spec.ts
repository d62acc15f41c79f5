/** Connections used in unusual ways: nothing goes unannounced, nothing hangs, nothing is left behind. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { QueryFailedError, type EntitySubscriberInterface, type QueryRunner } from 'typeorm';
import { defineQuery } from '../../src/query-cache/index.js';
import { CachedApplication } from '../support/cached-application.js';
import { eventually } from '../support/eventually.js';
import { createDatabase } from '../support/shared-postgres.js';
import { Bystander, Customer } from './fixtures/entities.js';

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
const set = (count: number, id: number): string =>
  `UPDATE customers SET visits = ${count} WHERE id = ${id}`;

let app: CachedApplication;
let runners: QueryRunner[];

beforeAll(async () => {
  app = await CachedApplication.start({
    databaseUrl: await createDatabase(),
    entities: [Customer, Bystander],
    synchronize: true,
    cache: { markLeaseMs: 200 },
  });
});

afterAll(() => app.stop());

beforeEach(async () => {
  runners = [];
  await app.source.query('TRUNCATE customers RESTART IDENTITY');
  await app.source.getRepository(Customer).insert([
    { name: 'ann', region: 'US' },
    { name: 'cleo', region: 'EU' },
  ]);
  await warm();
});

afterEach(async () => {
  for (const runner of runners) if (!runner.isReleased) await runner.release();
});

function newRunner(): QueryRunner {
  const runner = app.source.createQueryRunner();
  runners.push(runner);
  return runner;
}

async function warm(): Promise<void> {
  for (const query of [us, eu]) {
    await eventually(async () => {
      expect((await app.observe(() => app.cache.run(query))).outcomes).toEqual(['hit']);
    });
  }
}

/** What a subscriber does that refuses a statement, a little late. */
async function refuse(): Promise<void> {
  await delay(20);
  throw new Error('not today');
}

/** Adds a subscriber for the time of the work. */
async function withSubscriber(
  subscriber: EntitySubscriberInterface,
  work: () => Promise<unknown>,
): Promise<void> {
  app.source.subscribers.push(subscriber);
  try {
    await work();
  } finally {
    app.source.subscribers.splice(app.source.subscribers.indexOf(subscriber), 1);
  }
}

describe('a query builder with a connection of its own', () => {
  it('is neither answered from the cache nor stored, in a transaction TypeORM knows nothing of', async () => {
    const runner = newRunner();
    const mine = () =>
      app.cache.run(
        app.source.createQueryBuilder(Customer, 'c', runner).where('c.region = :r', { r: 'US' }),
      );
    await runner.query('BEGIN');
    await runner.query(set(99, 1));
    expect(await mine()).toMatchObject([{ visits: 99 }]);
    expect(await mine()).toMatchObject([{ visits: 99 }]);
    await runner.query('ROLLBACK');
    expect(await app.cache.run(us)).toEqual([0]);
  });

  it('needs no second connection, however small the pool', async () => {
    const open = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const runner = newRunner();
        await runner.startTransaction();
        return runner;
      }),
    );
    const answers = await Promise.all(
      open.map((runner) =>
        app.cache.run(runner.manager.createQueryBuilder(Customer, 'c').where('c.id = 1')),
      ),
    );
    expect(answers).toHaveLength(5);
    for (const runner of open) await runner.rollbackTransaction();
  });
});

describe('what a transaction touched', () => {
  it('includes a write that was sent without waiting for it', async () => {
    for (let round = 1; round <= 10; round += 1) {
      await app.source.transaction(async (manager) => {
        void manager.query(set(round, 1));
        await Promise.resolve();
      });
      expect(await app.cache.run(us)).toEqual([round]);
      await warm();
    }
  });

  it('stays when a later user of the connection begins a transaction inside it', async () => {
    const first = newRunner();
    await first.startTransaction();
    await first.query(set(5, 1));
    await first.release(); // the pool hands the connection on as it is
    const others: QueryRunner[] = [];
    for (let index = 0; index < 5; index += 1) {
      const runner = newRunner();
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
    expect(await app.cache.run(us)).toEqual([5]);
    expect(await app.cache.run(eu)).toEqual([6]);
  });
});

describe('a statement with a transaction of its own', () => {
  it('is no transaction to other subscribers', async () => {
    const events: string[] = [];
    await withSubscriber(
      {
        afterTransactionCommit: () => void events.push('commit'),
        afterTransactionStart: () => void events.push('start'),
      },
      () => app.source.query(set(3, 1)),
    );
    expect(events).toEqual([]);
    expect(await app.cache.run(us)).toEqual([3]);
  });

  it('does not wait for a statement that its own subscriber sends and waits for', async () => {
    await withSubscriber(
      {
        beforeQuery: async ({ query, queryRunner }) => {
          if (query.startsWith('UPDATE'))
            await queryRunner.query(`SELECT set_config('a.b', '1', true)`);
        },
      },
      () => app.source.query(set(4, 1)),
    );
    expect(await app.cache.run(us)).toEqual([4]);
  });

  it('leaves no connection behind that hangs, when another subscriber refuses it', async () => {
    for (let round = 0; round < 6; round += 1) {
      await withSubscriber(
        { beforeQuery: ({ query }) => (query.startsWith('UPDATE') ? refuse() : undefined) },
        async () => {
          await expect(app.source.query(set(8, 1))).rejects.toThrow('not today');
        },
      );
    }
    for (let count = 11; count <= 16; count += 1) await app.source.query(set(count, 1));
    expect(await app.cache.run(us)).toEqual([16]);
    expect(await app.source.query('SELECT visits FROM customers WHERE id = 1')).toEqual([
      { visits: 16 },
    ]);
  });

  it('can follow a raw COMMIT under a transaction of TypeORM', async () => {
    const runner = newRunner();
    await runner.startTransaction();
    await runner.query('COMMIT');
    await runner.query(set(7, 1));
    expect(await app.cache.run(us)).toEqual([7]);
  });
});

describe('statements sent at once over one query runner', () => {
  it('keep to themselves: one that fails undoes no other', async () => {
    const runner = newRunner();
    const results = await Promise.allSettled([
      runner.query(set(21, 1)),
      runner.query('SELECT 1 / 0'),
      runner.query(set(22, 2)),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await app.cache.run(us)).toEqual([21]);
    expect(await app.cache.run(eu)).toEqual([22]);
  });

  it('do not end a transaction begun behind them', async () => {
    const runner = newRunner();
    await Promise.all([runner.query(set(31, 1)), runner.startTransaction()]);
    await runner.query(set(32, 2));
    await runner.rollbackTransaction();
    expect(await app.cache.run(us)).toEqual([31]);
    expect(await app.cache.run(eu)).toEqual([0]);
  });

  it('are carried out although their query runner is released at once', async () => {
    const runner = newRunner();
    const slow = runner.query(
      'UPDATE customers SET visits = 41 + length(pg_sleep(0.6)::text) WHERE id = 1',
    );
    await delay(50);
    await runner.release();
    const others = await Promise.all(
      Array.from({ length: 5 }, () => app.source.query<unknown[]>('SELECT 1')),
    );
    expect(others).toHaveLength(5);
    await slow;
    expect(await app.cache.run(us)).toEqual([41]);
  });
});

describe('a connection that is cut', () => {
  it('fails its statement alone, and leaves nothing in doubt', async () => {
    const slow = app.source.query(
      'UPDATE customers SET visits = length(pg_sleep(30)::text) WHERE id = 1',
    );
    const failure = slow.then(
      () => undefined,
      (error: unknown) => error,
    );
    await eventually(async () => {
      const cut = await app.source.query<unknown[]>(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE state = 'active' AND query LIKE 'UPDATE customers%pg_sleep(30)%' AND pid <> pg_backend_pid()`,
      );
      expect(cut).toHaveLength(1);
    });
    expect(await failure).toBeInstanceOf(QueryFailedError);
    expect(await app.cache.run(us)).toEqual([0]);
    await app.source.query(set(51, 1));
    expect(await app.cache.run(us)).toEqual([51]);
    await warm();
  });
});

describe('a statement that commits by itself', () => {
  it('leaves no lock behind when another subscriber refuses it', async () => {
    await withSubscriber(
      { beforeQuery: ({ query }) => (query.startsWith('DO') ? refuse() : undefined) },
      async () => {
        await expect(app.source.query('DO $$ BEGIN END $$')).rejects.toThrow('not today');
      },
    );
    await warm();
  });

  it('keeps its answers out of the cache until it has ended, whatever the lease', async () => {
    await app.source.query(
      `CREATE OR REPLACE PROCEDURE grow() LANGUAGE plpgsql AS $$
       BEGIN
         FOR i IN 1..12 LOOP
           UPDATE customers SET visits = i WHERE id = 1;
           COMMIT;
           PERFORM pg_sleep(0.1);
         END LOOP;
       END $$`,
    );
    await warm();
    let isRunning = true;
    const running = app.source.query('CALL grow()').finally(() => (isRunning = false));
    const stale: string[] = [];
    while (isRunning) {
      const [row] = await app.source.query<{ visits: number }[]>(
        'SELECT visits FROM customers WHERE id = 1',
      );
      const [seen = 0] = await app.cache.run(us);
      if (seen < Number(row?.visits)) stale.push(`${seen} after ${row?.visits}`);
    }
    await running;
    expect(stale).toEqual([]);
    expect(await app.cache.run(us)).toEqual([12]);
  });

  it('leaves no lock behind when it fails inside a transaction', async () => {
    const runner = newRunner();
    await runner.startTransaction();
    await expect(runner.query(`DO $$ BEGIN RAISE 'no'; END $$`)).rejects.toThrow('no');
    await runner.rollbackTransaction();
    await runner.release();
    const locks = await app.source.query<unknown[]>(
      `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND database =
         (SELECT oid FROM pg_database WHERE datname = current_database())`,
    );
    expect(locks).toEqual([]);
    await warm();
  });
});
