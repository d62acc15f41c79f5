/**
 * Real: PostgreSQL. A single write gets an implicit transaction. However it ends, no transaction stays open on the
 * connection, and its changes are published.
 */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { EntitySubscriberInterface } from 'typeorm';
import { defineQuery } from '../../src/index.js';
import { CachedApplication } from '../support/cached-application.js';
import { eventually } from '../../../../test/support/eventually.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { StatementCounter } from '../support/statement-counter.js';
import { Customer } from '../fixtures/entities.js';

const names = defineQuery({
  name: 'customers.names',
  build: (source, { region }: { region: string }) =>
    source.getRepository(Customer).createQueryBuilder('c').where('c.region = :region', { region }),
  map: ({ name }) => name,
}).bind({ region: 'US' });

const RENAME = 'UPDATE customers SET name = $1 WHERE id = $2 RETURNING id, region';

let app: CachedApplication;
let sql: StatementCounter;

/** One connection: the next statement meets a transaction left open. */
beforeAll(async () => {
  app = await CachedApplication.start({
    databaseUrl: await createDatabase(),
    entities: [Customer],
    synchronize: true,
    poolSize: 1,
  });
  sql = StatementCounter.attach(app.source);
});

afterAll(async () => {
  sql.detach();
  await app.stop();
});

beforeEach(async () => {
  await app.source.query('TRUNCATE customers RESTART IDENTITY');
  await app.source.getRepository(Customer).insert([
    { name: 'ann', region: 'US' },
    { name: 'bob', region: 'EU' },
  ]);
});

const rename = (name: string, id = 1): Promise<unknown> => app.source.query(RENAME, [name, id]);

/** The transaction status after the statements sent before. */
async function status(): Promise<string | null> {
  const runner = app.source.createQueryRunner();
  try {
    const client = (await runner.connect()) as {
      query(text: string): Promise<unknown>;
      getTransactionStatus(): string | null;
    };
    await client.query('');
    return client.getTransactionStatus();
  } finally {
    await runner.release();
  }
}

/** Reads from the cache; then after the write the answer is this, and not from there. */
async function expectSeen(write: () => Promise<unknown>, expected: readonly string[]) {
  await eventually(async () => {
    sql.reset();
    await app.cache.run(names);
    expect(sql.statements).toEqual([]);
  });
  await write();
  sql.reset();
  expect(await app.cache.run(names)).toEqual(expected);
  expect(sql.selectsFrom('customers')).toHaveLength(1);
  expect(await status()).toBe('I');
}

it('a single write has an implicit transaction, and commits', async () => {
  await rename('one');
  sql.reset();
  await rename('two');
  expect(sql.statements).toEqual([
    'START TRANSACTION; SET LOCAL idle_in_transaction_session_timeout = 5000',
    RENAME,
    'COMMIT',
  ]);
  expect(await status()).toBe('I');
});

it('a single write is rolled back with its transaction where it fails', async () => {
  await expect(rename('bob')).rejects.toThrow(/duplicate key/);
  expect(await status()).toBe('I');
  await expectSeen(() => rename('eve'), ['eve']);
});

it('fails like any statement that does not parse', async () => {
  const wrong = 'UPDATE customers SET nothing = $1';
  for (let time = 0; time < 7; time += 1) {
    await expect(app.source.query(wrong, ['x'])).rejects.toThrow(/"nothing"/);
  }
  expect(await status()).toBe('I');
  await expectSeen(() => rename('eve'), ['eve']);
});

it('treats a value that cannot be sent as a failure of the statement', async () => {
  const unsendable = {
    toPostgres: () => {
      throw new Error('no such value');
    },
  };
  await expect(app.source.query(RENAME, [unsendable, 1])).rejects.toThrow(/no such value/);
  expect(await status()).toBe('I');
  await expectSeen(() => rename('eve'), ['eve']);
});

it('uses the current values of parameters, whatever they were before', async () => {
  await app.source.query('CREATE TABLE moments (id integer PRIMARY KEY, at timestamp)');
  await app.source.query('INSERT INTO moments VALUES (1)');
  const move = 'UPDATE moments SET at = $1 WHERE id = $2 RETURNING id';
  const moved = async (): Promise<string[]> => {
    await app.source.query(move, ['2026-01-01 12:00+05:00', 1]);
    const rows = await app.source.query<{ hour: string }[]>(
      `SELECT to_char(at AT TIME ZONE 'UTC', 'HH24') AS hour FROM moments`,
    );
    return rows.map(({ hour }) => hour);
  };
  for (let time = 0; time < 9; time += 1) await moved();
  await app.source.query('ALTER TABLE moments ALTER COLUMN at TYPE timestamptz');
  expect(await moved()).toEqual(['07']);
});

it('leaves nothing behind when another subscriber refuses it', async () => {
  const refusing: EntitySubscriberInterface = {
    beforeQuery: ({ query }) => {
      if (query === RENAME) throw new Error('refused');
    },
  };
  app.source.subscribers.push(refusing);
  try {
    await expect(rename('eve')).rejects.toThrow('refused');
  } finally {
    app.source.subscribers.splice(app.source.subscribers.indexOf(refusing), 1);
  }
  await expectSeen(() => rename('ida'), ['ida']);
});
