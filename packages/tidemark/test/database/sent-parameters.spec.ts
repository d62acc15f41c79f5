/**
 * Real: PostgreSQL. The caller changes the parameters of a statement while the statement waits. The values at the call
 * count. There are no triggers, so the parameters alone determine the write set.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import type { EntityManager, EntitySubscriberInterface } from 'typeorm';
import { eventually } from '../../../../test/support/eventually.js';
import { eu, us, Visits } from '../fixtures/visits.js';

let visits: Visits;
let otherClient: pg.Client;

beforeAll(async () => {
  visits = await Visits.open();
  otherClient = await visits.pastTheCache();
});
afterAll(async () => {
  await otherClient.end();
  await visits.close();
});
beforeEach(() => visits.begin());
afterEach(() => otherClient.query('ROLLBACK'));

interface Case {
  readonly sql: string;
  /** Says US; changed, it says EU. */
  readonly values: () => unknown[];
  readonly change: (values: unknown[]) => void;
}

const cases: readonly [string, Case][] = [
  [
    'a text',
    {
      sql: 'UPDATE customers SET visits = visits + 1 WHERE region = $1',
      values: () => ['US'],
      change: (values) => (values[0] = 'EU'),
    },
  ],
  [
    'a list',
    {
      sql: 'UPDATE customers SET visits = visits + 1 WHERE region = ANY ($1)',
      values: () => [['US']],
      change: ([list]) => ((list as string[])[0] = 'EU'),
    },
  ],
  [
    'all of several',
    {
      sql: 'UPDATE customers SET visits = visits + $2 WHERE region = $1 AND id = $3',
      values: () => ['US', 1, 1],
      change: (values) => values.splice(0, 3, 'EU', 7, 2),
    },
  ],
  [
    'the array itself, emptied',
    {
      sql: 'UPDATE customers SET visits = visits + 1 WHERE region = $1',
      values: () => ['US'],
      change: (values) => (values.length = 0),
    },
  ],
];

/** Sends the statement, which waits for a row; changes its parameters; lets it go on. */
async function changedWhileWaiting(
  { sql, values, change }: Case,
  send: (sql: string, values: unknown[]) => Promise<unknown>,
): Promise<void> {
  await otherClient.query('BEGIN');
  await otherClient.query('SELECT FROM customers FOR UPDATE');
  const sent = values();
  const written = send(sql, sent);
  await eventually(async () => {
    const rows = await visits.source.query<unknown[]>(
      `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query = $1`,
      [sql],
    );
    expect(rows).toHaveLength(1);
  });
  change(sent);
  await otherClient.query('ROLLBACK');
  await written;
}

describe('parameters that are changed while the statement waits', () => {
  it.each(cases)('%s', async (_what, wanted) => {
    await changedWhileWaiting(wanted, (sql, values) => visits.source.query(sql, values));
    expect(await visits.cache.run(us)).toEqual([1]);
  });

  it.each(cases)('%s, in a transaction', async (_what, wanted) => {
    await changedWhileWaiting(wanted, (sql, values) =>
      visits.source.transaction((manager: EntityManager) => manager.query(sql, values)),
    );
    expect(await visits.cache.run(us)).toEqual([1]);
  });
});

it('uses the parameters as another subscriber has changed them', async () => {
  const translating: EntitySubscriberInterface = {
    beforeQuery: async ({ parameters }) => {
      if (!Array.isArray(parameters) || parameters[0] !== 'Europe') return;
      await delay(20);
      parameters[0] = 'EU';
    },
  };
  await visits.withSubscriber(translating, () =>
    visits.source.query('UPDATE customers SET visits = 5 WHERE region = $1', ['Europe']),
  );
  expect(await visits.cache.run(eu)).toEqual([5]);
});
