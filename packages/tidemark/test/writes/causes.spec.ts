/** Real: PostgreSQL. What the events of writes say: the statements, the work that sent them, and what they ended. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  defineQuery,
  WriteOrigins,
  type Invalidation,
  type QueryCacheModuleOptions,
} from '../../src/index.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { CachedApplication } from '../support/cached-application.js';
import { WriteRecorder } from '../support/write-recorder.js';
import { Bystander, Customer } from '../fixtures/entities.js';
import { Outside } from '../outbox/outside.js';

/** A value that no event may have. */
const SECRET = 'Hunter2';
const REGION = 'ZZ9';

const SCHEMA = `
INSERT INTO customers (id, name, region) OVERRIDING SYSTEM VALUE VALUES (1, 'ada', 'EU'), (2, 'bob', 'US');
ALTER TABLE customers ALTER COLUMN id RESTART WITH 100;
CREATE FUNCTION enter(name text) RETURNS void LANGUAGE plpgsql VOLATILE AS
  $$ BEGIN INSERT INTO customers (name, region) VALUES (name, '${REGION}'); END $$;
CREATE PROCEDURE visit(who text) LANGUAGE plpgsql AS
  $$ BEGIN UPDATE customers SET visits = visits + 1 WHERE id = 1; COMMIT; END $$;
CREATE TABLE late (id int UNIQUE DEFERRABLE INITIALLY DEFERRED);`;

const inRegion = defineQuery({
  name: 'customers.in-region',
  build: (source, { region }: { region: string }) =>
    source.getRepository(Customer).createQueryBuilder('c').where({ region }),
});
const queries = ['US', 'EU', 'AU'].map((region) => inRegion.bind({ region }));

const titlesOf = ({ statements }: Invalidation): string[] => statements.map(({ title }) => title);

/** Until the version of the schema is known, all writes count as writes to all tables. */
async function open(cache: QueryCacheModuleOptions = {}): Promise<Outside> {
  const opened = await Outside.open({ entities: [Customer, Bystander], schema: SCHEMA, cache });
  await opened.warm(queries);
  return opened;
}

let outside: Outside;
let app: CachedApplication;
let origins: WriteOrigins;
let recorder: WriteRecorder;

beforeAll(async () => {
  outside = await open();
  ({ app } = outside);
  origins = app.get(WriteOrigins);
  recorder = new WriteRecorder(app);
});
afterAll(() => outside.close());
beforeEach(async () => {
  await recorder.ended();
  recorder.clear();
});

describe('the event of a write', () => {
  it.each<[string, readonly string[], () => Promise<unknown>]>([
    [
      'save of a new entity',
      ['INSERT public.customers'],
      () => app.source.getRepository(Customer).save({ name: SECRET, region: REGION }),
    ],
    [
      'save of a changed entity',
      ['UPDATE public.customers'],
      () => app.source.getRepository(Customer).save({ id: 1, name: `${SECRET} 1` }),
    ],
    [
      'bulk update',
      ['UPDATE public.customers'],
      () =>
        app.source
          .createQueryBuilder()
          .update(Customer)
          .set({ region: REGION })
          .where('name = :name', { name: 'bob' })
          .execute(),
    ],
    [
      'raw SQL with a literal',
      ['UPDATE public.customers'],
      () => app.source.query(`UPDATE customers SET name = '${SECRET} 2' WHERE id = 1`),
    ],
    [
      'MERGE',
      ['MERGE public.customers'],
      () =>
        app.source.query(
          `MERGE INTO customers c USING (VALUES ('${SECRET} 3')) AS s(name) ON c.id = 1
           WHEN MATCHED THEN UPDATE SET name = s.name`,
        ),
    ],
    [
      'WITH and INSERT',
      ['INSERT public.bystanders, DELETE public.customers'],
      () =>
        app.source.query(
          `WITH gone AS (DELETE FROM customers WHERE id > 2 RETURNING id) INSERT INTO bystanders SELECT id FROM gone`,
        ),
    ],
    [
      'a function that writes',
      ['SELECT enter'],
      () => app.source.query(`SELECT enter('${SECRET} 4')`),
    ],
    [
      'several statements in one text',
      ['INSERT public.bystanders; DELETE public.bystanders'],
      () =>
        app.source.query('INSERT INTO bystanders VALUES (7); DELETE FROM bystanders WHERE id = 7'),
    ],
    [
      'a transaction: each statement once, in the order of the first execution, without reads',
      ['UPDATE public.customers', 'INSERT public.bystanders'],
      () =>
        app.source.transaction(async (manager) => {
          for (const id of [501, 502]) {
            await manager.query(`UPDATE customers SET name = '${SECRET} ${id}' WHERE id = 1`);
            await manager.query('SELECT 1');
            await manager.query('UPDATE customers SET visits = 0 WHERE id = -1');
            await manager.query('INSERT INTO bystanders VALUES ($1)', [id]);
          }
        }),
    ],
    [
      'a savepoint: without the statements that were rolled back or have failed',
      ['INSERT public.bystanders', 'UPDATE public.customers'],
      () =>
        app.source.transaction(async (manager) => {
          await manager.insert(Bystander, { id: 601 });
          await expect(
            manager.transaction(async (inner) => {
              await inner.delete(Bystander, { id: 601 });
              await inner.query(`INSERT INTO bystanders VALUES (601), (601)`);
            }),
          ).rejects.toThrow('duplicate');
          await manager.transaction((inner) => inner.update(Customer, 1, { visits: 3 }));
        }),
    ],
  ])('names its statements: %s', async (_, titles, write) => {
    await origins.run('nightly import', write);
    const event = await recorder.one();
    expect(titlesOf(event)).toEqual(titles);
    expect(event).toMatchObject({ source: 'service', origin: 'nightly import' });
    expect(recorder.ends).toMatchObject([{ outcome: 'committed' }]);
    expect(recorder.ends[0]?.durationMs).toBeGreaterThan(0);
  });

  it('has its regions, with digests for values', async () => {
    await app.source.query(`INSERT INTO customers (name, region) VALUES ('eve', '${REGION}')`);
    const digests = ['id', 'region'].map((name): unknown =>
      expect.stringMatching(new RegExp(`^${name}=[0-9a-f]{6}$`)),
    );
    const { regions } = await recorder.one();
    expect(regions).toEqual([{ table: 'public.customers', names: ['*', ...digests] }]);
  });

  it('is none if no row was changed', async () => {
    await app.source.query('UPDATE customers SET visits = 1 WHERE id = -1');
    await app.source.query('DELETE FROM bystanders');
    expect(titlesOf(await recorder.one())).toEqual(['DELETE public.bystanders']);
  });

  it('has one region, every table, after a statement that commits by itself or changes the schema', async () => {
    await origins.run('job', () => app.source.query(`CALL visit('${SECRET}')`));
    const call = await recorder.one();
    const everything = [{ table: '*', names: ['*'] }];
    expect(call).toMatchObject({ origin: 'job', regions: everything });
    expect(titlesOf(call)).toEqual(['CALL visit']);
    expect(recorder.ends).toMatchObject([{ outcome: 'committed' }]);
    recorder.clear();

    await expect(app.source.query(`DO $$ BEGIN RAISE '${SECRET}'; END $$`)).rejects.toThrow(SECRET);
    expect(titlesOf(await recorder.one())).toEqual(['DO']);
    expect(recorder.ends).toMatchObject([{ outcome: 'unknown' }]);
    recorder.clear();

    await app.source.query(`CREATE TABLE more (name text DEFAULT '${SECRET}')`);
    const change = await recorder.one();
    expect(change).toMatchObject({ origin: undefined, regions: everything });
    expect(titlesOf(change)).toEqual(['CREATE TABLE']);
  });

  it('ends as rolled back if COMMIT fails', async () => {
    await expect(app.source.query('INSERT INTO late VALUES (1), (1)')).rejects.toThrow('duplicate');
    expect(titlesOf(await recorder.one())).toEqual(['INSERT public.late']);
    expect(recorder.ends).toMatchObject([{ outcome: 'rolled-back' }]);
  });

  it('has no statement and no origin if the writer is outside of the service', async () => {
    // Waits until the catalog is loaded again after the schema change above.
    await outside.warm(queries);
    await outside.relayed(() =>
      outside.client.query(`UPDATE customers SET name = '${SECRET} 5' WHERE id = 1`),
    );
    expect(await recorder.one()).toMatchObject({
      source: 'outside',
      origin: undefined,
      statements: [],
      regions: [{ table: 'public.customers' }],
    });
    expect(recorder.ends).toEqual([]);
  });

  it('has the source and the origin of QueryCache.invalidate', async () => {
    const region = { table: 'public.customers', dimension: 'region', value: REGION };
    await origins.run('import', () => app.cache.invalidate([region]));
    expect(await recorder.one()).toMatchObject({
      source: 'invalidate',
      origin: 'import',
      statements: [],
      regions: [
        { table: 'public.customers', names: ['*', expect.stringMatching(/^region=[0-9a-f]{6}$/)] },
      ],
    });
  });

  it('has an id of its own', async () => {
    for (const visits of [1, 2, 3]) {
      await app.source.query('UPDATE customers SET visits = $1 WHERE id = 1', [visits]);
    }
    await recorder.ended();
    expect(new Set(recorder.writes.map(({ writeId }) => writeId)).size).toBe(3);
  });

  it('has nothing of an earlier transaction of the connection', async () => {
    await expect(
      origins.run('failing', () =>
        app.source.transaction(async (manager) => {
          await manager.query('DELETE FROM customers');
          throw new Error('changed my mind');
        }),
      ),
    ).rejects.toThrow('changed my mind');
    await app.source.query('INSERT INTO bystanders VALUES (701)');
    const event = await recorder.one();
    expect(event.origin).toBeUndefined();
    expect(titlesOf(event)).toEqual(['INSERT public.bystanders']);
  });

  it('counts the entries in memory that it has ended', async () => {
    await outside.warm(queries);
    recorder.clear();
    await app.source.query(`INSERT INTO customers (name, region) VALUES ('cy', 'EU')`);
    expect(await recorder.one()).toMatchObject({ localEntries: 1 });
    await outside.warm(queries);
    recorder.clear();
    await app.source.query('TRUNCATE customers CASCADE');
    expect((await recorder.one()).localEntries).toBe(3);
  });
});

it('no event of these writes has a literal, a parameter or a value of a row', () => {
  expect(recorder.texts.length).toBeGreaterThan(15);
  expect(recorder.texts.filter((text) => text.includes(SECRET) || text.includes(REGION))).toEqual(
    [],
  );
});

describe('the option exposeValues', () => {
  it('shows the values of the dimensions that it names', async () => {
    const other = await open({ exposeValues: ['public.customers.region'] });
    try {
      const seen = new WriteRecorder(other.app);
      await other.app.source.query(`INSERT INTO customers (name, region) VALUES ('dee', 'AU')`);
      expect(await seen.one()).toMatchObject({
        regions: [
          {
            table: 'public.customers',
            names: ['*', expect.stringMatching(/^id=[0-9a-f]{6}$/), 'region=AU'],
          },
        ],
      });
    } finally {
      await other.close();
    }
  });
});

it('a refused write has no event', async () => {
  const away = await CachedApplication.start({
    databaseUrl: await createDatabase(),
    entities: [Bystander],
    synchronize: true,
    cache: { redis: 'redis://127.0.0.1:1' },
    invalidation: { writePolicy: 'refuse' },
  });
  try {
    const seen = new WriteRecorder(away);
    await expect(away.source.getRepository(Bystander).insert({ id: 1 })).rejects.toThrow('refused');
    expect([seen.writes, seen.ends]).toEqual([[], []]);
  } finally {
    await away.stop();
  }
});
