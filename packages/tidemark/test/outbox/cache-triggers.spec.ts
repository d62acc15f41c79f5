/** Installation, repair and removal of the triggers. */
import { afterEach, describe, expect, it } from 'vitest';
import { DataSource, type EntityTarget, type ObjectLiteral } from 'typeorm';
import { CacheTriggers, CacheTriggersError } from '../../src/index.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { Event, OddName, Parcel } from '../matrix/fixtures/places.entities.js';
import { Bystander, Customer } from '../fixtures/entities.js';

let sources: DataSource[] = [];

afterEach(async () => {
  for (const source of sources.reverse()) await source.destroy();
  sources = [];
});

async function open(
  entities: readonly EntityTarget<ObjectLiteral>[],
  url?: string,
  poolSize = 2,
): Promise<DataSource> {
  const source = new DataSource({
    type: 'postgres',
    url: url ?? (await createDatabase()),
    entities: [...entities] as (new () => object)[],
    synchronize: url === undefined,
    poolSize,
  });
  sources.push(source);
  return source.initialize();
}

/** Without the rows by which an installation ends all answers. */
async function outboxOf(source: DataSource, schema = 'tidemark_tidemark'): Promise<unknown[]> {
  return source.query<unknown[]>(
    `SELECT table_name, regions FROM "${schema}".outbox WHERE table_name <> '*' ORDER BY id`,
  );
}

const states = async (triggers: CacheTriggers): Promise<Record<string, string>> =>
  Object.fromEntries((await triggers.check()).map(({ table, state }) => [table, state]));

describe('triggers', () => {
  it('are installed once, and again where one is missing, changed or disabled', async () => {
    const source = await open([Customer, Bystander]);
    const triggers = new CacheTriggers(source, 'tidemark');
    const both = ['public.bystanders', 'public.customers'];
    expect(await states(triggers)).toEqual({
      'public.bystanders': 'missing',
      'public.customers': 'missing',
    });
    expect([...(await triggers.install())].toSorted()).toEqual(both);
    expect(await triggers.install()).toEqual([]);
    await source.query('DROP TRIGGER tidemark_tidemark_delete ON bystanders');
    await source.query('ALTER TABLE customers DISABLE TRIGGER tidemark_tidemark_update');
    expect(await states(triggers)).toEqual({
      'public.bystanders': 'missing',
      'public.customers': 'disabled',
    });
    expect([...(await triggers.install())].toSorted()).toEqual(both);
    expect(new Set(Object.values(await states(triggers)))).toEqual(new Set(['installed']));
  });

  it('are repaired at once where they are both outdated and disabled', async () => {
    const source = await open([Bystander]);
    const triggers = new CacheTriggers(source, 'tidemark');
    await triggers.install();
    await source.query('ALTER TABLE bystanders RENAME COLUMN id TO number');
    await source.query('ALTER TABLE bystanders DISABLE TRIGGER ALL');
    expect(await states(triggers)).toEqual({ 'public.bystanders': 'disabled' });
    await triggers.install();
    expect(await states(triggers)).toEqual({ 'public.bystanders': 'installed' });
  });

  it('count as missing without their outbox, which is created again', async () => {
    const source = await open([Bystander]);
    const triggers = new CacheTriggers(source, 'tidemark');
    await triggers.install();
    await source.query('DROP TABLE tidemark_tidemark.outbox');
    expect(await states(triggers)).toEqual({ 'public.bystanders': 'missing' });
    await triggers.install();
    expect(await states(triggers)).toEqual({ 'public.bystanders': 'installed' });
    await source.query('INSERT INTO bystanders VALUES (8)');
    expect(await outboxOf(source)).toHaveLength(1);
  });

  it('are requested, with the SQL, where the database is read-only', async () => {
    const writable = await open([Bystander]);
    const url = new URL((writable.options as { url?: string }).url ?? '');
    url.searchParams.set('options', '-c default_transaction_read_only=on');
    const triggers = new CacheTriggers(await open([Bystander], url.href), 'tidemark');
    const failure = await triggers.install().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(CacheTriggersError);
    expect(String(failure)).toMatch(/read-only transaction.*\n.*CREATE SCHEMA/);
  });

  it('are outdated where the key has changed', async () => {
    const source = await open([Bystander]);
    const triggers = new CacheTriggers(source, 'tidemark');
    await triggers.install();
    await source.query('ALTER TABLE bystanders RENAME COLUMN id TO number');
    expect(await states(triggers)).toEqual({ 'public.bystanders': 'outdated' });
    // Other writers go on meanwhile: any key may have been written.
    await source.query('INSERT INTO bystanders VALUES (6)');
    expect(await triggers.install()).toEqual(['public.bystanders']);
    await source.query('INSERT INTO bystanders VALUES (7)');
    expect(await outboxOf(source)).toEqual([
      { table_name: 'public.bystanders', regions: null },
      { table_name: 'public.bystanders', regions: { number: [['7']] } },
    ]);
  });

  it('are installed over a pool of one connection, and under names that look like quotes', async () => {
    const source = await open([Bystander], undefined, 1);
    await source.query('CREATE TABLE "odd$capture$" (id int) INHERITS (bystanders)').catch(() => 0);
    const triggers = new CacheTriggers(source, 'tidemark');
    expect((await triggers.install()).length).toBeGreaterThan(0);
    await source.query('INSERT INTO "odd$capture$" VALUES (1)');
    expect(await outboxOf(source)).toEqual([{ table_name: 'public.odd$capture$', regions: {} }]);
  });

  it('are removed with all their objects, and nothing else', async () => {
    const source = await open([Customer, Bystander]);
    const [mine, others] = ['tidemark', 'other'].map((name) => new CacheTriggers(source, name));
    await mine?.install();
    await others?.install();
    await mine?.remove();
    expect(mine && new Set(Object.values(await states(mine)))).toEqual(new Set(['missing']));
    expect(others && new Set(Object.values(await states(others)))).toEqual(new Set(['installed']));
    expect((await others?.outboxes())?.map(({ schema }) => schema)).toEqual(['tidemark_other']);
    await mine?.remove();
  });

  it('of two namespaces fill an outbox each', async () => {
    const source = await open([Bystander]);
    await new CacheTriggers(source, 'one').install();
    await new CacheTriggers(source, 'two').install();
    await source.query('INSERT INTO bystanders VALUES (1)');
    const row = { table_name: 'public.bystanders', regions: { id: [['1']] } };
    expect(await outboxOf(source, 'tidemark_one')).toEqual([row]);
    expect(await outboxOf(source, 'tidemark_two')).toEqual([row]);
  });

  it('of a long namespace have names that PostgreSQL does not cut', async () => {
    const source = await open([Bystander]);
    const namespace = 'n'.repeat(64);
    const triggers = new CacheTriggers(source, namespace);
    await triggers.install();
    expect(await states(triggers)).toEqual({ 'public.bystanders': 'installed' });
  });

  it('are put on partitions and children, under any names', async () => {
    const source = await open([Event, Parcel, OddName]);
    await source.query(`
      CREATE TABLE events (id int, region varchar(10), guests int, PRIMARY KEY (id, region))
        PARTITION BY LIST (region);
      CREATE TABLE events_us PARTITION OF events FOR VALUES IN ('US');
      CREATE TABLE events_eu PARTITION OF events FOR VALUES IN ('EU');
      CREATE TABLE parcels (id int PRIMARY KEY, region varchar(10), grams int);
      CREATE TABLE express_parcels () INHERITS (parcels);
      CREATE TABLE "Odd_Names" ("The Id" int PRIMARY KEY, "Region" varchar(10), "select" int)`);
    const triggers = new CacheTriggers(source, 'tidemark');
    expect([...(await triggers.install())].toSorted()).toEqual([
      'public.Odd_Names',
      'public.events',
      'public.events_eu',
      'public.events_us',
      'public.express_parcels',
      'public.parcels',
    ]);
    await source.query(`INSERT INTO events VALUES (1, 'US', 1)`);
    await source.query(`UPDATE events SET region = 'EU'`);
    await source.query('UPDATE events_eu SET guests = 2');
    await source.query(`INSERT INTO express_parcels VALUES (1, 'EU', 5)`);
    await source.query('UPDATE parcels SET grams = 6');
    await source.query(`INSERT INTO "Odd_Names" VALUES (1, 'it''s', 2)`);
    expect(await outboxOf(source)).toEqual([
      { table_name: 'public.events', regions: { 'id,region': [['1', 'US']], region: [['US']] } },
      {
        table_name: 'public.events',
        regions: {
          'id,region': [
            ['1', 'EU'],
            ['1', 'US'],
          ],
          region: [['EU'], ['US']],
        },
      },
      { table_name: 'public.events_eu', regions: { 'id,region': [['1', 'EU']] } },
      { table_name: 'public.express_parcels', regions: {} },
      { table_name: 'public.parcels', regions: { id: [['1']], region: [['EU']] } },
      {
        table_name: 'public.Odd_Names',
        regions: { 'The Id': [['1']], Region: [["it's"]] },
      },
    ]);
  });

  it('need the owner of the table: the error has the SQL', async () => {
    const source = await open([Bystander]);
    const role = `other_${process.pid}`;
    const url = new URL((source.options as { url?: string }).url ?? '');
    const database = url.pathname.slice(1);
    await source.query(
      `CREATE ROLE ${role} LOGIN; GRANT CREATE ON DATABASE ${database} TO ${role}`,
    );
    url.username = role;
    const otherClient = new CacheTriggers(await open([Bystander], url.href), 'tidemark');
    const failure = await otherClient.install().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(CacheTriggersError);
    expect(String(failure)).toMatch(/CREATE OR REPLACE TRIGGER "tidemark_tidemark_insert"/);
    await source.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  });
});

describe('an outbox without a reader', () => {
  it('keeps no more rows than its bound, and records that all tables may have changed', async () => {
    const source = await open([Bystander]);
    await new CacheTriggers(source, 'tidemark').install();
    // As if a million rows had been recorded since.
    await source.query('INSERT INTO bystanders VALUES (1)');
    await source.query('ALTER TABLE tidemark_tidemark.outbox ALTER COLUMN id RESTART WITH 1002000');
    await source.query('INSERT INTO bystanders VALUES (2)');
    expect(await outboxOf(source)).toEqual([
      { table_name: 'public.bystanders', regions: { id: [['2']] } },
    ]);
    const [left] = await source.query<{ rows: number }[]>(
      `SELECT count(*)::int AS rows FROM tidemark_tidemark.outbox WHERE table_name = '*'`,
    );
    expect(left).toEqual({ rows: 1 });
  });
});
