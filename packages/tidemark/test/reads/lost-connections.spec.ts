/** Real: PostgreSQL. The one connection over which many are served is lost. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import pg from 'pg';
import { CatalogCache } from '../../src/typeorm/database/catalog-cache.js';
import { defineQuery } from '../../src/index.js';
import { CachedApplication } from '../support/cached-application.js';
import { eventually } from '../../../../test/support/eventually.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { StatementCounter } from '../support/statement-counter.js';
import { Customer } from '../fixtures/entities.js';

const WAITERS = 500;

const byRegion = defineQuery({
  name: 'customers.by-region',
  build: (source, { region }: { region: string }) =>
    source.getRepository(Customer).createQueryBuilder('c').where('c.region = :region', { region }),
  map: ({ name }) => name,
});

let app: CachedApplication;
/** Queries pg_stat_activity outside a transaction, in which the view would not change. */
let admin: pg.Client;
let locker: pg.Client;
let sql: StatementCounter;
let fills = 0;

beforeAll(async () => {
  const databaseUrl = await createDatabase();
  app = await CachedApplication.start({ databaseUrl, entities: [Customer], synchronize: true });
  admin = new pg.Client({ connectionString: databaseUrl });
  locker = new pg.Client({ connectionString: databaseUrl });
  await Promise.all([admin.connect(), locker.connect()]);
  sql = StatementCounter.attach(app.source);
  // The lock below counts as a write: a new epoch would wait for its end.
  await eventually(async () => {
    const warm = byRegion.bind({ region: 'warm' });
    const { outcomes } = await app.observe(() => app.cache.run(warm));
    if (outcomes[0] !== 'hit') throw new Error('The epochs have not settled');
  });
});

afterAll(async () => {
  sql.detach();
  await Promise.all([admin.end(), locker.end()]);
  await app.stop();
});

afterEach(() => locker.query('ROLLBACK'));

/** The statement about customers that waits for the lock of `locker`, by its process. */
async function waitingFill(): Promise<number> {
  return eventually(async () => {
    const { rows } = await admin.query<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity WHERE datname = current_database()
         AND wait_event_type = 'Lock' AND query LIKE '%FROM _customers_ %'`,
    );
    expect(rows).toHaveLength(1);
    return rows[0]?.pid ?? 0;
  });
}

const terminate = (pid: number) => admin.query('SELECT pg_terminate_backend($1)', [pid]);

/** A query that was never read, read by many at once while its table is locked. */
async function askLocked(kind: 'defined' | 'builder'): Promise<Promise<unknown>[]> {
  fills += 1;
  const region = `R${fills}`;
  const customers = app.source.getRepository(Customer);
  const ask = (): Promise<unknown> =>
    kind === 'defined'
      ? app.cache.run(byRegion.bind({ region }))
      : app.cache.run(customers.createQueryBuilder('c').where('c.region = :region', { region }));
  await locker.query('BEGIN; LOCK TABLE customers IN ACCESS EXCLUSIVE MODE');
  sql.reset();
  const answers = Array.from({ length: WAITERS }, ask);
  for (const answer of answers) answer.catch(() => undefined);
  return answers;
}

it.each(['defined', 'builder'] as const)(
  'a fill (%s) whose connection is lost is run once more for all waiting requests',
  async (kind) => {
    const answers = await askLocked(kind);
    const lost = await waitingFill();
    await terminate(lost);
    await eventually(async () => expect(await waitingFill()).not.toBe(lost));
    await locker.query('COMMIT');
    const outcomes = await Promise.allSettled(answers);
    expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(['fulfilled']));
    expect(sql.selectsFrom('customers')).toHaveLength(2);
  },
);

it('a fill that loses its second connection too fails, with no third statement', async () => {
  const answers = await askLocked('defined');
  const lost = await waitingFill();
  await terminate(lost);
  await eventually(async () => expect(await waitingFill()).not.toBe(lost));
  await terminate(await waitingFill());
  const outcomes = await Promise.allSettled(answers);
  expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(['rejected']));
  expect(sql.selectsFrom('customers')).toHaveLength(2);
});

it('a read that may change something is not run twice', async () => {
  await locker.query('BEGIN; LOCK TABLE customers IN ACCESS EXCLUSIVE MODE');
  sql.reset();
  const customers = app.source.getRepository(Customer).createQueryBuilder('c');
  const answer = app.cache.run(customers.where('c.id = 1 AND random() >= 0'));
  answer.catch(() => undefined);
  await terminate(await waitingFill());
  await expect(answer).rejects.toThrow(/terminat/);
  expect(sql.selectsFrom('customers')).toHaveLength(1);
});

it('the catalog is loaded once more where its connection is lost', async () => {
  const { prototype } = pg.Client;
  const send = Reflect.get(prototype, 'query') as (this: pg.Client, ...sent: unknown[]) => unknown;
  let isArmed = true;
  // The catalog is read past the hooks of TypeORM.
  const nemesis = async function (this: pg.Client, ...sent: unknown[]): Promise<unknown> {
    if (isArmed && String(sent[0]).includes('current_schema()')) {
      isArmed = false;
      const { processID } = this as unknown as { processID: number };
      await send.call(admin, 'SELECT pg_terminate_backend($1)', [processID]);
    }
    return send.call(this, ...sent);
  };
  prototype.query = nemesis as typeof prototype.query;
  try {
    await app.get(CatalogCache).reload();
  } finally {
    prototype.query = send as typeof prototype.query;
  }
  expect(isArmed).toBe(false);
});
