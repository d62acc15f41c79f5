/** Real: PostgreSQL. `CacheTestingModule`, as a test of an application uses it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Test, type TestingModule } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { CacheTestingModule, outcomesOf, type RecordedOutcomes } from '../../src/testing/index.js';
import { defineQuery, QueryCache } from '../../src/index.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { StatementCounter } from '../support/statement-counter.js';
import { Customer } from '../fixtures/entities.js';

const customersIn = defineQuery({
  name: 'customers.in',
  build: (source, p: { region: string }) =>
    source.getRepository(Customer).createQueryBuilder('c').where('c.region = :region', p),
  map: ({ name }) => name,
});

let databaseUrl: string;

beforeAll(async () => {
  databaseUrl = await createDatabase();
});

async function start(cache: ReturnType<typeof CacheTestingModule.inMemory>) {
  const testing = await Test.createTestingModule({
    imports: [
      TypeOrmModule.forRoot({
        type: 'postgres',
        url: databaseUrl,
        entities: [Customer],
        synchronize: true,
        retryAttempts: 0,
      }),
      cache,
    ],
  }).compile();
  testing.useLogger(false);
  return testing.init();
}

let app: TestingModule | undefined;

afterAll(() => app?.close());

async function withModule(
  module: ReturnType<typeof CacheTestingModule.inMemory>,
  work: (cache: QueryCache, source: DataSource, outcomes: RecordedOutcomes) => Promise<void>,
): Promise<void> {
  app = await start(module);
  try {
    const cache = app.get(QueryCache);
    await work(cache, app.get(DataSource), outcomesOf(cache));
  } finally {
    await app.close();
    app = undefined;
  }
}

it('inMemory: a write in one region ends its answers alone, as in production', () =>
  withModule(CacheTestingModule.inMemory(), async (cache, source, outcomes) => {
    const read = (region: string) => cache.run(customersIn.bind({ region }));
    await read('EU');
    await outcomes.until('customers.in', 'hit', () => read('EU'));
    await outcomes.until('customers.in', 'hit', () => read('US'));
    await source.getRepository(Customer).insert({ name: 'Ada', region: 'US' });
    outcomes.clear();
    await read('EU');
    outcomes.expect('customers.in', 'hit');
    expect(await read('US')).toEqual(['Ada']);
    expect(outcomes.of('customers.in')[1]).not.toBe('L1');
  }));

it('inMemory with triggers off: creates no outbox, and a write ends all answers of its table', () =>
  withModule(
    CacheTestingModule.inMemory({ triggers: 'off', namespace: 'unused' }),
    async (cache, source, outcomes) => {
      const read = () => cache.run(customersIn.bind({ region: 'EU' }));
      await outcomes.until('customers.in', 'hit', read);
      await source.getRepository(Customer).insert({ name: 'Bo', region: 'US' });
      outcomes.clear();
      await read();
      expect(outcomes.of('customers.in')).not.toEqual(['L1']);
      const [{ outbox }] = await source.query(
        "SELECT to_regnamespace('tidemark_unused') AS outbox",
      );
      expect(outbox).toBeNull();
    },
  ));

it('passThrough: bound queries and builders run over the data source, each time', () =>
  withModule(CacheTestingModule.passThrough(), async (cache, source, outcomes) => {
    const sql = StatementCounter.attach(source);
    try {
      const builder = () =>
        source
          .getRepository(Customer)
          .createQueryBuilder('c')
          .where('c.name = :name', { name: 'Bo' });
      for (const _ of [1, 2]) {
        expect(await cache.run(customersIn.bind({ region: 'US' }))).toEqual(['Ada', 'Bo']);
        expect(await cache.run(builder())).toMatchObject([{ name: 'Bo' }]);
      }
      expect(sql.selectsFrom('customers')).toHaveLength(4);
      outcomes.expect('customers.in', 'bypass: disabled', 'bypass: disabled');
      outcomes.expect('Customer', 'bypass: disabled', 'bypass: disabled');
    } finally {
      sql.detach();
    }
  }));
