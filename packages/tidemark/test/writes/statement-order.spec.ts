/** Statements that delay one another over one connection, and subscribers that delay both. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { eventually } from '../../../../test/support/eventually.js';
import { eu, refuse, set, us, Visits } from '../fixtures/visits.js';

/** A statement that others wait for is checked after this time. */
const LONGER_THAN_A_LOOK_MS = 350;
/** A mark is settled after this time where its session does not look like a writer. */
const LONGER_THAN_THE_LEASE_MS = 300;

let visits: Visits;

beforeAll(async () => {
  visits = await Visits.open();
});
afterAll(() => visits.close());
beforeEach(() => visits.begin());
afterEach(() => visits.end());

/** Resolves once the server runs the text. */
async function atServer(text: string): Promise<void> {
  await eventually(async () => {
    const sql = `SELECT FROM pg_stat_activity WHERE state = 'active' AND query = $1`;
    expect(await visits.source.query(sql, [text])).toHaveLength(1);
  });
}

describe('a statement with an implicit transaction', () => {
  it('is no transaction to other subscribers', async () => {
    const events: string[] = [];
    await visits.withSubscriber(
      {
        afterTransactionCommit: () => void events.push('commit'),
        afterTransactionStart: () => void events.push('start'),
      },
      () => visits.source.query(set(3, 1)),
    );
    expect(events).toEqual([]);
    expect(await visits.cache.run(us)).toEqual([3]);
  });

  it('does not wait for a statement that its own subscriber sends and waits for', async () => {
    await visits.withSubscriber(
      {
        beforeQuery: async ({ query, queryRunner }) => {
          if (query.startsWith('UPDATE'))
            await queryRunner.query(`SELECT set_config('a.b', '1', true)`);
        },
      },
      () => visits.source.query(set(4, 1)),
    );
    expect(await visits.cache.run(us)).toEqual([4]);
  });

  it('leaves no hanging connection when another subscriber refuses it', async () => {
    for (let round = 0; round < 6; round += 1) {
      await visits.withSubscriber(
        { beforeQuery: ({ query }) => (query.startsWith('UPDATE') ? refuse() : undefined) },
        async () => {
          await expect(visits.source.query(set(8, 1))).rejects.toThrow('not today');
        },
      );
    }
    for (let count = 11; count <= 16; count += 1) await visits.source.query(set(count, 1));
    expect(await visits.cache.run(us)).toEqual([16]);
    expect(await visits.source.query('SELECT visits FROM customers WHERE id = 1')).toEqual([
      { visits: 16 },
    ]);
  });

  it('can follow a raw COMMIT under a transaction of TypeORM', async () => {
    const runner = visits.newRunner();
    await runner.startTransaction();
    await runner.query('COMMIT');
    await runner.query(set(7, 1));
    expect(await visits.cache.run(us)).toEqual([7]);
  });
});

describe('statements sent at once over one query runner', () => {
  it('are independent: a failing one undoes no other', async () => {
    const runner = visits.newRunner();
    const results = await Promise.allSettled([
      runner.query(set(21, 1)),
      runner.query('SELECT 1 / 0'),
      runner.query(set(22, 2)),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await visits.cache.run(us)).toEqual([21]);
    expect(await visits.cache.run(eu)).toEqual([22]);
  });

  it('do not end a transaction begun behind them', async () => {
    const runner = visits.newRunner();
    await Promise.all([runner.query(set(31, 1)), runner.startTransaction()]);
    await runner.query(set(32, 2));
    await runner.rollbackTransaction();
    expect(await visits.cache.run(us)).toEqual([31]);
    expect(await visits.cache.run(eu)).toEqual([0]);
  });

  it('run although their query runner is released at once', async () => {
    const runner = visits.newRunner();
    const text = 'UPDATE customers SET visits = 41 + length(pg_sleep(0.6)::text) WHERE id = 1';
    const slow = runner.query(text);
    await atServer(text);
    await runner.release();
    const others = await Promise.all(
      Array.from({ length: 5 }, () => visits.source.query<unknown[]>('SELECT 1')),
    );
    expect(others).toHaveLength(5);
    await slow;
    expect(await visits.cache.run(us)).toEqual([41]);
  });
});

describe('a statement delayed by a lock while another is sent after it over the connection', () => {
  let truth: pg.Client;

  beforeEach(async () => {
    truth = await visits.pastTheCache();
    await truth.query('BEGIN');
    await truth.query('SELECT FROM customers WHERE id = 1 FOR UPDATE');
  });
  afterEach(() => truth.end());

  /** Slow also once it has the lock. */
  const slowly = `UPDATE customers SET visits = 5 + length(pg_sleep(0.5)::text) WHERE id = 1`;

  it.each([
    ['restricted by its region', `UPDATE customers SET visits = 88 WHERE region = 'EU'`],
    ['restricted by its key', set(88, 2)],
  ])('keeps the other one waiting: %s', async (_how, other) => {
    const runner = visits.newRunner();
    const both = [runner.query(slowly), runner.query(other)];
    await delay(LONGER_THAN_A_LOOK_MS);
    await truth.query('ROLLBACK');
    await Promise.all(both);
    expect(await visits.cache.run(us)).toEqual([5]);
    expect(await visits.cache.run(eu)).toEqual([88]);
  });

  it('is not undone by the failure of the other one', async () => {
    const runner = visits.newRunner();
    const both = [slowly, `UPDATE customers SET nonsense = 1 WHERE region = 'EU'`].map((text) =>
      runner.query(text),
    );
    const results = Promise.allSettled(both);
    await delay(LONGER_THAN_A_LOOK_MS);
    await truth.query('ROLLBACK');
    expect((await results).map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(await visits.cache.run(us)).toEqual([5]);
  });

  it('is not undone by the next user of the connection, once its query runner was released', async () => {
    const runner = visits.newRunner();
    const write = runner.query(slowly);
    await atServer(slowly);
    await runner.release();
    const others = Array.from({ length: 5 }, () => visits.source.query('SELECT 1'));
    await delay(LONGER_THAN_A_LOOK_MS);
    await truth.query('ROLLBACK');
    await Promise.all([write, ...others]);
    const { rows } = await truth.query('SELECT visits FROM customers WHERE id = 1');
    expect(rows).toEqual([{ visits: 5 }]);
    expect(await visits.cache.run(us)).toEqual([5]);
  });
});

describe('a statement that another subscriber delays or refuses', () => {
  it('lets the writes of the subscriber run first', async () => {
    const note = set(61, 2);
    await visits.withSubscriber(
      {
        beforeQuery: async ({ query, queryRunner }) => {
          if (query === set(60, 1)) await queryRunner.query(note);
        },
      },
      () => visits.source.query(set(60, 1)),
    );
    expect(await visits.cache.run(us)).toEqual([60]);
    expect(await visits.cache.run(eu)).toEqual([61]);
  });

  it('keeps answers out of the cache as long as it is delayed, and no longer', async () => {
    const outcomes: unknown[] = [];
    await visits.withSubscriber(
      {
        beforeQuery: async ({ query, queryRunner }) => {
          if (query !== set(64, 1)) return;
          await queryRunner.query(set(65, 2));
          for (let look = 0; look < 3; look += 1) {
            await delay(LONGER_THAN_THE_LEASE_MS);
            const seen = await visits.app.observe(() => visits.cache.run(us));
            outcomes.push([seen.outcomes[0] === 'hit', await visits.cache.run(us)]);
          }
        },
      },
      () => visits.source.query(set(64, 1)),
    );
    expect(outcomes).toEqual(Array.from({ length: 3 }, () => [false, [0]]));
    expect(await visits.cache.run(us)).toEqual([64]);
    await visits.warm();
  });

  it('leaves no transaction open, although its query runner is kept', async () => {
    const runner = visits.newRunner();
    const client = (await runner.connect()) as { getTransactionStatus(): string | null };
    await visits.withSubscriber(
      { beforeQuery: ({ query }) => (query === set(72, 1) ? refuse() : undefined) },
      async () => expect(runner.query(set(72, 1))).rejects.toThrow('not today'),
    );
    await eventually(() => expect(client.getTransactionStatus()).toBe('I'));
    await runner.query(set(73, 1));
    expect(await visits.cache.run(us)).toEqual([73]);
    await runner.release();
    await visits.warm();
  });

  it('is rolled back where another subscriber throws after it, and its connection goes on', async () => {
    const runner = visits.newRunner();
    const afterQuery = ({ query }: { query: string }): void => {
      if (query === set(74, 1)) throw new Error('not today');
    };
    const { subscribers } = visits.source;
    subscribers.unshift({ afterQuery });
    try {
      await expect(runner.query(set(74, 1))).rejects.toThrow('not today');
    } finally {
      subscribers.shift();
    }
    await runner.query(set(75, 2));
    expect(await visits.cache.run(us)).toEqual([0]);
    expect(await visits.cache.run(eu)).toEqual([75]);
  });

  it('is published with the writes of a subscriber of its COMMIT', async () => {
    const note = set(63, 2);
    await visits.withSubscriber(
      {
        beforeQuery: async ({ query, queryRunner }) => {
          if (query === 'COMMIT') await queryRunner.query(note);
        },
      },
      () => visits.source.transaction((manager) => manager.query(set(62, 1))),
    );
    expect(await visits.cache.run(us)).toEqual([62]);
    expect(await visits.cache.run(eu)).toEqual([63]);
  });

  it('is not confused with the next one of the same text, over rows that have moved since', async () => {
    const runner = visits.newRunner();
    const text = set(50, 1);
    await runner.query('BEGIN');
    await visits.withSubscriber(
      { beforeQuery: ({ query }) => (query === text ? refuse() : undefined) },
      async () => expect(runner.query(text)).rejects.toThrow('not today'),
    );
    await runner.query('ROLLBACK');
    await visits.source.query(`UPDATE customers SET region = 'EU' WHERE id = 1`);
    await visits.warm();
    await runner.query('BEGIN');
    await runner.query(text);
    await runner.query('COMMIT');
    expect(await visits.cache.run(eu)).toEqual([50, 0]);
  });

  it('leaves no transaction open for the next statement of the query runner', async () => {
    const runner = visits.newRunner();
    await visits.withSubscriber(
      { beforeQuery: ({ query }) => (query === set(70, 1) ? refuse() : undefined) },
      async () => expect(runner.query(set(70, 1))).rejects.toThrow('not today'),
    );
    await runner.query(set(71, 1));
    // Committed: others see it, over another connection and in the cache.
    expect(await visits.source.query('SELECT visits FROM customers WHERE id = 1')).toEqual([
      { visits: 71 },
    ]);
    expect(await visits.cache.run(us)).toEqual([71]);
  });
});

describe('savepoints in a text of several statements', () => {
  it('lose no notice filed under an earlier one of the same name', async () => {
    const runner = visits.newRunner();
    const texts = ['BEGIN', 'SAVEPOINT a', set(77, 2), 'SELECT 1; SAVEPOINT a'];
    for (const text of texts) await runner.query(text);
    await visits.warm();
    await runner.query('ROLLBACK TO SAVEPOINT a');
    await runner.query('COMMIT');
    expect(await visits.cache.run(eu)).toEqual([77]);
  });
});
