/** Statements that may commit by themselves: CALL, DO, and texts with BEGIN and COMMIT. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../../../test/support/eventually.js';
import { refuse, us, Visits } from '../fixtures/visits.js';

let visits: Visits;

beforeAll(async () => {
  visits = await Visits.open();
});
afterAll(() => visits.close());
beforeEach(() => visits.begin());
afterEach(() => visits.end());

/** The advisory locks in the database. */
const locks = (): Promise<unknown[]> =>
  visits.source.query<unknown[]>(
    `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND database =
       (SELECT oid FROM pg_database WHERE datname = current_database())`,
  );

describe('a statement that commits by itself', () => {
  it('leaves no lock behind when another subscriber refuses it', async () => {
    await visits.withSubscriber(
      { beforeQuery: ({ query }) => (query.startsWith('DO') ? refuse() : undefined) },
      async () => {
        await expect(visits.source.query('DO $$ BEGIN END $$')).rejects.toThrow('not today');
      },
    );
    await visits.warm();
  });

  it('keeps its answers out of the cache until it has ended, whatever the lease', async () => {
    await visits.source.query(
      `CREATE OR REPLACE PROCEDURE grow() LANGUAGE plpgsql AS $$
       BEGIN
         FOR i IN 1..12 LOOP
           UPDATE customers SET visits = i WHERE id = 1;
           COMMIT;
           PERFORM pg_sleep(0.1);
         END LOOP;
       END $$`,
    );
    await visits.warm();
    let isRunning = true;
    const running = visits.source.query('CALL grow()').finally(() => (isRunning = false));
    const stale: string[] = [];
    while (isRunning) {
      const [row] = await visits.source.query<{ visits: number }[]>(
        'SELECT visits FROM customers WHERE id = 1',
      );
      const [seen = 0] = await visits.cache.run(us);
      if (seen < Number(row?.visits)) stale.push(`${seen} after ${row?.visits}`);
    }
    await running;
    expect(stale).toEqual([]);
    expect(await visits.cache.run(us)).toEqual([12]);
  });

  it('leaves no lock behind when it fails inside a transaction', async () => {
    const runner = visits.newRunner();
    await runner.startTransaction();
    await expect(runner.query(`DO $$ BEGIN RAISE 'no'; END $$`)).rejects.toThrow('no');
    await runner.rollbackTransaction();
    await runner.release();
    expect(await locks()).toEqual([]);
    await visits.warm();
  });

  it('releases its lock once the transaction that it has aborted is rolled back', async () => {
    const runner = visits.newRunner();
    await expect(runner.query('BEGIN; SELECT 1 / 0')).rejects.toThrow('division by zero');
    await runner.query('ROLLBACK');
    expect(await locks()).toEqual([]);
    await visits.warm();
  });

  it('never runs without its lock: a release without an answer closes the connection', async () => {
    await visits.source.query('CREATE TABLE locks_held (number bigint)');
    await visits.source.query(
      `CREATE PROCEDURE count_locks() LANGUAGE sql AS $$ INSERT INTO locks_held
         SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() $$`,
    );
    const runner = visits.newRunner();
    const client = (await runner.connect()) as { query(...sent: unknown[]): Promise<unknown> };
    const query = client.query.bind(client);
    // The server releases the lock, and node-postgres does not wait for its answer.
    client.query = async (...sent) => {
      const answer = query(...sent);
      if (!String(sent[0]).includes('pg_advisory_unlock')) return answer;
      answer.catch(() => undefined);
      throw new Error('Query read timeout');
    };
    await runner.query('CALL count_locks()');
    await runner.query('CALL count_locks()').catch(() => undefined);
    await visits.source.query('CALL count_locks()');
    expect(await visits.source.query('SELECT number FROM locks_held')).toEqual([
      { number: '1' },
      { number: '1' },
    ]);
  });

  it('that has released every lock ends its answers after its mark was removed', async () => {
    await visits.source.query(
      `CREATE PROCEDURE outlive() LANGUAGE plpgsql AS $$ BEGIN
         PERFORM pg_advisory_unlock_all(); COMMIT; PERFORM pg_sleep(1);
         UPDATE customers SET visits = 90 WHERE id = 1; COMMIT; END $$`,
    );
    const running = visits.source.query('CALL outlive()');
    // A reader settles the mark: nothing shows that more commits follow.
    await visits.warm();
    await running;
    await eventually(async () => expect(await visits.cache.run(us)).toEqual([90]));
  });
});
