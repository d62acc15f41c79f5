/** Concurrent writes and reads, against real PostgreSQL. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Repository } from 'typeorm';
import { defineQuery } from '../../src/index.js';
import { CachedApplication } from '../support/cached-application.js';
import { eventually } from '../../../../test/support/eventually.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { StatementCounter } from '../support/statement-counter.js';
import { Customer } from '../fixtures/entities.js';

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

/** Customers 1 and 2 live in US, 3 in EU. */
const answers = {
  US: inRegion.bind({ region: 'US' }),
  EU: inRegion.bind({ region: 'EU' }),
  'customer 1': byId.bind({ id: 1 }),
  'customer 2': byId.bind({ id: 2 }),
  'customer 3': byId.bind({ id: 3 }),
};
type AnswerName = keyof typeof answers;
const names = Object.keys(answers) as AnswerName[];

let app: CachedApplication;
let sql: StatementCounter;
let customers: Repository<Customer>;

beforeAll(async () => {
  app = await CachedApplication.start({
    databaseUrl: await createDatabase(),
    entities: [Customer],
    synchronize: true,
    invalidation: { triggers: 'install' },
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
  ]);
  await warm();
});

/** The cached answer, and whether it cost the database a statement. */
async function ask(name: AnswerName): Promise<{ fromCache: boolean; value: unknown }> {
  sql.reset();
  const value: unknown = await app.cache.run(answers[name]);
  return { fromCache: sql.statements.length === 0, value };
}

async function warm(): Promise<void> {
  for (const name of names) {
    await eventually(async () => expect(await ask(name)).toMatchObject({ fromCache: true }));
  }
}

/** The answers that do not come from the cache any more. */
async function ended(): Promise<string[]> {
  const found: string[] = [];
  for (const name of names) if (!(await ask(name)).fromCache) found.push(name);
  return found.toSorted();
}

describe('races', () => {
  it('reports the region that a row was moved to between its load and its update', async () => {
    const loaded = await customers.findOneByOrFail({ id: 1 }); // T0: still in US
    await customers.update({ id: 1 }, { region: 'EU' }); // T1: another writer moves it
    await warm();
    // T2: only the name is written, over a row that is in EU by now
    await customers
      .createQueryBuilder()
      .update()
      .set({ name: `${loaded.name}a` })
      .whereInIds([1])
      .execute();
    expect(await ended()).toEqual(['EU', 'customer 1']);
    expect((await ask('EU')).value).toMatchObject([{ name: 'anna' }, { name: 'cleo' }]);
  });

  it('leaves hits alone until COMMIT, and ends them before it is answered', async () => {
    const before = await ask('US');
    await app.source.transaction(async (manager) => {
      await manager.update(Customer, { id: 1 }, { name: 'uncommitted' });
      await manager.update(Customer, { region: 'EU' }, { visits: 7 });
      expect(await ended()).toEqual([]);
      expect(await ask('US')).toEqual(before);
    });
    expect((await ask('US')).value).toMatchObject([{ name: 'uncommitted' }, { name: 'bob' }]);
    expect((await ask('EU')).value).toMatchObject([{ visits: 7 }]);
  });

  it('does not cache the reads of a transaction after it has written', async () => {
    await app.source
      .transaction(async (manager) => {
        await manager.update(Customer, { id: 1 }, { name: 'uncommitted' });
        const { value, outcomes } = await app.observe(() =>
          app.cache.run(manager.createQueryBuilder(Customer, 'c').where('c.id = 1')),
        );
        expect(value).toMatchObject([{ name: 'uncommitted' }]);
        expect(outcomes).toEqual(['bypass']);
        throw new Error('never happened');
      })
      .catch(() => undefined);
    expect(await app.cache.run(answers['customer 1'])).toMatchObject({ name: 'ann' });
  });

  it('separates writes that are sent at once over one query runner', async () => {
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
    expect(await ended()).toEqual(['EU', 'US', 'customer 1', 'customer 3']);
  });
});
