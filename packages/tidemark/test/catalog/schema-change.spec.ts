/** A schema change by one instance: the other classifies statements under the new schema. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { defineQuery } from '../../src/index.js';
import { CachedApplication } from '../support/cached-application.js';
import { eventually } from '../../../../test/support/eventually.js';
import { RedisServer } from '../../../../test/support/redis-server.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { Bystander, Customer } from '../fixtures/entities.js';

const inRegion = defineQuery({
  name: 'customers.in-region',
  build: (source, { region }: { region: string }) =>
    source
      .getRepository(Customer)
      .createQueryBuilder('c')
      .where('c.region = :region', { region })
      .orderBy('c.id'),
  map: ({ visits }: Customer) => visits,
});
const eu = inRegion.bind({ region: 'EU' });
const bystanders = defineQuery({
  name: 'bystanders',
  build: (source, _: Record<string, never>) =>
    source.getRepository(Bystander).createQueryBuilder('b'),
  map: ({ id }: Bystander) => id,
}).bind({});

const day = defineQuery({
  name: 'day',
  shape: 'raw',
  build: (source, _: Record<string, never>) =>
    source.createQueryBuilder().select('t.n', 'n').from('day_7', 't'),
}).bind({});

let redis: RedisServer;
let here: CachedApplication;
let there: CachedApplication;

beforeAll(async () => {
  redis = await RedisServer.start();
  const options = {
    databaseUrl: await createDatabase(),
    entities: [Customer, Bystander],
    cache: { redis: { url: redis.url } },
  };
  here = await CachedApplication.start(options);
  there = await CachedApplication.start(options);
  // Both have loaded the catalog of an empty database; one of them creates the tables.
  await here.source.synchronize();
  await here.source.getRepository(Customer).insert([
    { name: 'ann', region: 'US' },
    { name: 'bob', region: 'EU' },
  ]);
});

afterAll(async () => {
  await here.stop();
  await there.stop();
  await redis.stop();
});

beforeEach(async () => {
  for (const application of [here, there]) {
    await warm(application, () => application.cache.run(eu));
    await warm(application, () => application.cache.run(bystanders));
  }
});

async function warm(application: CachedApplication, ask: () => Promise<unknown>): Promise<void> {
  await eventually(async () => {
    expect((await application.observe(ask)).outcomes).toEqual(['hit']);
  });
}

describe('a schema that another instance changes', () => {
  it('is picked up by the others: their writes end the right answers', async () => {
    await there.source.getRepository(Customer).update({ region: 'EU' }, { visits: 1 });
    expect(await here.cache.run(eu)).toEqual([1]);
  });

  it('widens a narrow write where a trigger now writes another table', async () => {
    await here.source.query(
      `CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN INSERT INTO bystanders VALUES (NEW.visits); RETURN NEW; END $$`,
    );
    await here.source.query(
      'CREATE TRIGGER note AFTER UPDATE ON customers FOR EACH ROW EXECUTE FUNCTION note()',
    );
    // The other instance has not loaded the catalog since.
    await there.source.getRepository(Customer).update({ id: 2 }, { visits: 7 });
    expect(await here.cache.run(bystanders)).toEqual([7]);
    expect(await here.cache.run(eu)).toEqual([7]);
  });

  it('is noticed by a transaction that has classified its write before', async () => {
    await here.source.query('ALTER TABLE bystanders ADD COLUMN customer integer');
    await here.source.query('UPDATE bystanders SET customer = 1');
    await warm(there, () => there.cache.run(eu));
    await here.source.query(
      `ALTER TABLE bystanders ADD FOREIGN KEY (customer) REFERENCES customers ON DELETE CASCADE`,
    );
    await warm(here, () => here.cache.run(bystanders));
    await there.source.transaction(async (manager) => {
      // Sent before this instance has read the schema version again.
      await manager.delete(Customer, { id: 1 });
      await there.cache.run(eu); // a reader of the same instance takes up the new catalog
      await eventually(async () => {
        expect((await there.observe(() => there.cache.run(eu))).outcomes).not.toEqual(['bypass']);
      });
    });
    expect(await here.cache.run(bystanders)).toEqual([]);
  });

  it.each<{ what: string; make: string; drop: string; write: () => Promise<unknown> }>([
    {
      what: 'a rule that does something else',
      make: `CREATE RULE kept AS ON DELETE TO customers
               DO INSTEAD UPDATE customers SET visits = -1 WHERE id = OLD.id`,
      drop: 'DROP RULE kept ON customers',
      write: () => there.source.getRepository(Customer).delete({ id: 2 }),
    },
    {
      what: 'a trigger of the statement',
      make: `CREATE FUNCTION reset() RETURNS trigger LANGUAGE plpgsql
               AS 'BEGIN UPDATE customers SET visits = visits - 5 WHERE id = 2; RETURN NULL; END';
             CREATE TRIGGER reset AFTER DELETE ON bystanders EXECUTE FUNCTION reset()`,
      drop: 'DROP TRIGGER reset ON bystanders',
      write: () => there.source.getRepository(Bystander).delete({ id: 4711 }),
    },
  ])('is checked for by a write that seems to have changed no row: $what', async (row) => {
    await here.source.query(row.make);
    await warm(here, () => here.cache.run(eu));
    const before = await here.cache.run(eu);
    await row.write();
    const [customer] = await here.source.getRepository(Customer).findBy({ id: 2 });
    expect([customer?.visits]).not.toEqual(before);
    expect(await here.cache.run(eu)).toEqual([customer?.visits]);
    await here.source.query(row.drop);
  });

  it('is published when a trigger creates a partition', async () => {
    await here.source.query(`
      CREATE TABLE days (id int, day int, n int) PARTITION BY LIST (day);
      CREATE TABLE inbox (day int);
      CREATE FUNCTION add_day() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        EXECUTE format('CREATE TABLE day_%s PARTITION OF days FOR VALUES IN (%1$s)', NEW.day);
        RETURN NEW; END $$;
      CREATE TRIGGER add_day BEFORE INSERT ON inbox FOR EACH ROW EXECUTE FUNCTION add_day()`);
    await warm(there, () => there.cache.run(eu));
    await here.source.query('INSERT INTO inbox VALUES (7)');
    await here.source.query('INSERT INTO days VALUES (1, 7, 1)');
    await warm(here, () => here.cache.run(day));
    await there.source.query('UPDATE days SET n = 2 WHERE id = 1');
    expect(await here.cache.run(day)).toEqual([{ n: 2 }]);
  });

  it('is published when a DO block changes it inside a transaction', async () => {
    await here.source.transaction(async (manager) => {
      await manager.query(`DO $$ BEGIN ALTER TABLE bystanders ADD COLUMN note text; END $$`);
    });
    const { outcomes } = await there.observe(() => there.cache.run(eu));
    expect(outcomes).not.toEqual(['hit']);
  });

  it('is checked for before a SELECT whose function may write by now', async () => {
    await here.source.query(
      `CREATE FUNCTION touch() RETURNS int STABLE LANGUAGE sql AS 'SELECT 1'`,
    );
    // Both have seen the function as one that reads.
    await warm(there, () => there.cache.run(eu));
    await there.source.query('SELECT touch()');
    await warm(here, () => here.cache.run(eu));
    await here.source.query(
      `CREATE OR REPLACE FUNCTION touch() RETURNS int VOLATILE LANGUAGE sql
       AS 'UPDATE customers SET visits = 77; SELECT 1'`,
    );
    await warm(here, () => here.cache.run(eu));
    await there.source.query('SELECT touch()');
    expect(await here.cache.run(eu)).toEqual([77]);
  });

  it('stops the others from caching answers that have become uncacheable', async () => {
    await here.source.query(
      `ALTER TABLE customers RENAME TO customers_kept;
       CREATE VIEW customers AS SELECT * FROM customers_kept WHERE clock_timestamp() > '2020-01-01'`,
    );
    const { outcomes } = await there.observe(() => there.cache.run(eu));
    // Once for the doubt, and once more where the query is found to be another one.
    expect(new Set(outcomes)).toEqual(new Set(['bypass']));
    await eventually(async () => {
      await there.cache.run(eu);
      expect(there.cache.explain(eu)).toMatchObject({ cacheable: false });
    });
  });
});
