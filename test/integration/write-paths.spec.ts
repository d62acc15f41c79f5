/**
 * Each way to write, against real PostgreSQL: which cached answers it ends, and which it leaves.
 * A hit is told by the statements that reached the database: none.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { In, type EntityManager, type Repository } from 'typeorm';
import { defineQuery } from '../../src/query-cache/index.js';
import { CachedApplication } from '../support/cached-application.js';
import { createDatabase } from '../support/shared-postgres.js';
import { StatementCounter } from '../support/statement-counter.js';
import { Bystander, Customer } from './fixtures/entities.js';

const inRegion = defineQuery({
  name: 'customers.in-region',
  build: (source, { region }: { region: string }) =>
    source
      .getRepository(Customer)
      .createQueryBuilder('c')
      .where('c.region = :region', { region })
      .orderBy('c.id'),
});
const byId = defineQuery({
  name: 'customers.by-id',
  shape: 'one',
  build: (source, { id }: { id: number }) =>
    source.getRepository(Customer).createQueryBuilder('c').where('c.id = :id', { id }),
});
const counts = defineQuery({
  name: 'customers.counts',
  shape: 'raw',
  build: (source, _: Record<string, never>) =>
    source
      .getRepository(Customer)
      .createQueryBuilder('c')
      .select('c.region', 'region')
      .addSelect('COUNT(*)', 'customers')
      .groupBy('c.region')
      .orderBy('c.region'),
});
const bystanders = defineQuery({
  name: 'bystanders',
  build: (source, _: Record<string, never>) =>
    source.getRepository(Bystander).createQueryBuilder('b'),
});

/** Answers by a name: customers 1 and 2 live in US, 3 in EU, 4 in APAC; 99 does not exist. */
const answers = {
  US: inRegion.bind({ region: 'US' }),
  EU: inRegion.bind({ region: 'EU' }),
  APAC: inRegion.bind({ region: 'APAC' }),
  1: byId.bind({ id: 1 }),
  2: byId.bind({ id: 2 }),
  3: byId.bind({ id: 3 }),
  99: byId.bind({ id: 99 }),
  counts: counts.bind({}),
  bystanders: bystanders.bind({}),
};
type AnswerName = keyof typeof answers;
const everyAnswer = Object.keys(answers) as AnswerName[];

let app: CachedApplication;
let sql: StatementCounter;
let customers: Repository<Customer>;

beforeAll(async () => {
  app = await CachedApplication.start({
    databaseUrl: await createDatabase(),
    entities: [Customer, Bystander],
    synchronize: true,
  });
  sql = StatementCounter.attach(app.source);
  customers = app.source.getRepository(Customer);
});

afterAll(async () => {
  sql.detach();
  await app.stop();
});

beforeEach(async () => {
  await app.source.query('TRUNCATE customers RESTART IDENTITY');
  await customers.insert([
    { name: 'ann', region: 'US' },
    { name: 'bob', region: 'US' },
    { name: 'cleo', region: 'EU' },
    { name: 'dai', region: 'APAC' },
  ]);
  for (const name of everyAnswer) await warm(name);
});

/** The cached answer, and whether it cost the database a statement. */
async function ask(name: AnswerName): Promise<{ fromCache: boolean; value: unknown }> {
  sql.reset();
  const value: unknown = await app.cache.run(answers[name]);
  return { fromCache: sql.statements.length === 0, value };
}

async function warm(name: AnswerName): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    if ((await ask(name)).fromCache) return;
  }
  throw new Error(`The answer ${name} never came from the cache.`);
}

/** Asks for every answer: names those that were ended, and checks all against the database. */
async function ended(): Promise<AnswerName[]> {
  const names: AnswerName[] = [];
  for (const name of everyAnswer) {
    const { fromCache, value } = await ask(name);
    if (!fromCache) names.push(name);
    expect({ name, value }).toEqual({ name, value: await truth(name) });
  }
  return names;
}

async function truth(name: AnswerName): Promise<unknown> {
  const query = answers[name];
  const builder = query.build(app.source);
  if (query.shape === 'one') return builder.getOne();
  return query.shape === 'raw' ? builder.getRawMany() : builder.getMany();
}

const inTransaction = <T>(work: (manager: EntityManager) => Promise<T>): Promise<T> =>
  app.source.transaction(work);

describe('what a write ends', () => {
  it.each<[string, () => Promise<unknown>, readonly string[]]>([
    ['nothing: no write at all', async () => undefined, []],
    [
      'save: insert',
      () => customers.save(customers.create({ name: 'eve', region: 'EU' })),
      ['EU', 'counts'],
    ],
    [
      'save: update within a region',
      async () => customers.save({ ...(await customers.findOneByOrFail({ id: 1 })), name: 'anna' }),
      ['US', '1', 'counts'],
    ],
    [
      'save: move between regions',
      async () => customers.save({ ...(await customers.findOneByOrFail({ id: 1 })), region: 'EU' }),
      ['US', 'EU', '1', 'counts'],
    ],
    [
      'save: several rows at once',
      async () => {
        const rows = await customers.findBy({ id: In([1, 3]) });
        return customers.save(rows.map((row) => ({ ...row, visits: 5 })));
      },
      ['US', 'EU', '1', '3', 'counts'],
    ],
    [
      'save without listeners',
      async () =>
        customers.save(
          { ...(await customers.findOneByOrFail({ id: 3 })), region: 'US' },
          { listeners: false },
        ),
      ['US', 'EU', '3', 'counts'],
    ],
    [
      'save without a transaction',
      async () =>
        customers.save(
          { ...(await customers.findOneByOrFail({ id: 3 })), visits: 9 },
          { transaction: false },
        ),
      ['EU', '3', 'counts'],
    ],
    [
      'save that changes nothing',
      async () => customers.save(await customers.findOneByOrFail({ id: 1 })),
      [],
    ],
    [
      'remove',
      async () => customers.remove(await customers.findOneByOrFail({ id: 2 })),
      ['US', '2', 'counts'],
    ],
    [
      'softRemove',
      async () => customers.softRemove(await customers.findOneByOrFail({ id: 2 })),
      ['US', '2', 'counts'],
    ],
    [
      'recover',
      async () => {
        await hideCleo();
        const where = { id: 3 };
        return customers.recover(await customers.findOneOrFail({ where, withDeleted: true }));
      },
      ['EU', '3', 'counts'],
    ],
    ['insert', () => customers.insert({ name: 'eve', region: 'EU' }), ['EU', 'counts']],
    [
      'update by key',
      () => customers.update({ id: 1 }, { region: 'APAC' }),
      ['US', 'APAC', '1', 'counts'],
    ],
    [
      'update by region, moving it',
      () => customers.update({ region: 'US' }, { region: 'EU' }),
      ['US', 'EU', '1', '2', '3', '99', 'counts'],
    ],
    ['update that finds no row', () => customers.update({ id: 99 }, { region: 'EU' }), []],
    ['delete by key', () => customers.delete(3), ['EU', '3', 'counts']],
    [
      'delete by another column',
      () => customers.delete({ name: 'cleo' }),
      ['US', 'EU', 'APAC', '1', '2', '3', '99', 'counts'],
    ],
    ['increment by key', () => customers.increment({ id: 1 }, 'visits', 2), ['US', '1', 'counts']],
    ['softDelete by key', () => customers.softDelete(3), ['EU', '3', 'counts']],
    [
      'restore by key',
      async () => {
        await hideCleo();
        return customers.restore(3);
      },
      ['EU', '3', 'counts'],
    ],
    ['restore of a row that is not deleted', () => customers.restore(3), []],
    ['clear', () => customers.clear(), ['US', 'EU', 'APAC', '1', '2', '3', '99', 'counts']],
    [
      'query builder: insert of many values',
      () =>
        customers
          .createQueryBuilder()
          .insert()
          .values([
            { name: 'eve', region: 'EU' },
            { name: 'fay', region: 'APAC' },
          ])
          .execute(),
      ['EU', 'APAC', 'counts'],
    ],
    [
      'query builder: update returning the keys',
      () =>
        customers
          .createQueryBuilder()
          .update()
          .set({ region: 'EU' })
          .where('region = :from', { from: 'US' })
          .returning('id')
          .execute(),
      ['US', 'EU', '1', '2', 'counts'],
    ],
    [
      'query builder without listeners',
      () =>
        customers
          .createQueryBuilder()
          .update()
          .set({ visits: 3 })
          .whereInIds([3])
          .callListeners(false)
          .execute(),
      ['EU', '3', 'counts'],
    ],
    [
      'raw SQL that is understood',
      () => app.source.query(`UPDATE customers SET visits = 7 WHERE id = $1`, [3]),
      ['EU', '3', 'counts'],
    ],
    [
      'raw SQL that may write anything',
      () => app.source.query(`DO $$ BEGIN UPDATE customers SET visits = 8 WHERE id = 1; END $$`),
      ['US', 'EU', 'APAC', '1', '2', '3', '99', 'counts', 'bystanders'],
    ],
    [
      'a transaction',
      () =>
        inTransaction(async (manager) => {
          await manager.update(Customer, { id: 1 }, { visits: 1 });
          await manager.update(Customer, { id: 3 }, { visits: 1 });
        }),
      ['US', 'EU', '1', '3', 'counts'],
    ],
    [
      'a transaction that is rolled back',
      () =>
        inTransaction(async (manager) => {
          await manager.update(Customer, { id: 1 }, { visits: 1 });
          throw new Error('changed my mind');
        }).catch(() => undefined),
      [],
    ],
    [
      'a savepoint that is rolled back',
      () =>
        inTransaction(async (manager) => {
          await manager.update(Customer, { id: 1 }, { visits: 1 });
          await manager
            .transaction(async (inner) => {
              await inner.update(Customer, { id: 3 }, { visits: 1 });
              throw new Error('not this part');
            })
            .catch(() => undefined);
        }),
      ['US', '1', 'counts'],
    ],
    [
      'a savepoint that is released',
      () =>
        inTransaction((manager) =>
          manager.transaction((inner) => inner.update(Customer, { id: 3 }, { visits: 1 })),
        ),
      ['EU', '3', 'counts'],
    ],
    [
      'raw BEGIN and COMMIT on one query runner',
      () => byRunner(['BEGIN', 'UPDATE customers SET visits = 4 WHERE id = 3', 'COMMIT']),
      ['EU', '3', 'counts'],
    ],
    [
      'raw BEGIN and ROLLBACK on one query runner',
      () => byRunner(['BEGIN', 'UPDATE customers SET visits = 4 WHERE id = 3', 'ROLLBACK']),
      [],
    ],
    [
      'a COMMIT that PostgreSQL answers with ROLLBACK',
      () =>
        byRunner([
          'BEGIN',
          'UPDATE customers SET visits = 4 WHERE id = 3',
          'SELECT 1 / 0',
          'COMMIT',
        ]),
      [],
    ],
    [
      'a statement that fails',
      () => customers.insert({ name: 'ann', region: 'US' }).catch(() => undefined),
      [],
    ],
  ])('%s', async (_name, write, expected) => {
    await write();
    const names = await ended();
    expect(names.map(String).sort()).toEqual([...expected].sort());
  });
});

/** Soft-deletes customer 3 and lets every answer be cached without it. */
async function hideCleo(): Promise<void> {
  await customers.softDelete(3);
  for (const name of everyAnswer) await warm(name);
}

async function byRunner(statements: readonly string[]): Promise<void> {
  const runner = app.source.createQueryRunner();
  try {
    for (const statement of statements) await runner.query(statement).catch(() => undefined);
  } finally {
    await runner.release();
  }
}

describe('races', () => {
  it('tells the region a row was moved to between its load and its update', async () => {
    const loaded = await customers.findOneByOrFail({ id: 1 }); // T0: still in US
    await customers.update({ id: 1 }, { region: 'EU' }); // T1: another writer moves it
    for (const name of everyAnswer) await warm(name);
    // T2: only the name is written, over a row that is in EU by now
    await customers
      .createQueryBuilder()
      .update()
      .set({ name: `${loaded.name}a` })
      .whereInIds([1])
      .execute();
    expect((await ended()).map(String).sort()).toEqual(['1', 'EU', 'counts']);
  });

  it('does not cache what a transaction reads after it has written', async () => {
    await inTransaction(async (manager) => {
      await manager.update(Customer, { id: 1 }, { name: 'uncommitted' });
      const { value, outcomes } = await app.observe(() =>
        app.cache.run(manager.createQueryBuilder(Customer, 'c').where('c.id = 1')),
      );
      expect(value).toMatchObject([{ name: 'uncommitted' }]);
      expect(outcomes).toEqual(['bypass']);
      throw new Error('never happened');
    }).catch(() => undefined);
    expect(await app.cache.run(answers[1])).toMatchObject({ name: 'ann' });
  });

  it('keeps writes apart that are sent at once over one query runner', async () => {
    const runner = app.source.createQueryRunner();
    try {
      const results = await Promise.allSettled([
        runner.query('UPDATE customers SET visits = 1 WHERE id = 1'),
        runner.query('UPDATE customers SET nonsense = 1 WHERE id = 2'),
        runner.query('UPDATE customers SET visits = 1 WHERE id = 3'),
      ]);
      expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    } finally {
      await runner.release();
    }
    expect((await ended()).map(String).sort()).toEqual(['1', '3', 'EU', 'US', 'counts']);
  });
});
