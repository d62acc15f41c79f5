/** Statements that may write any table and have written nothing: they end no answer. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import pg from 'pg';
import { defineQuery } from '../../src/index.js';
import { CachedApplication } from '../support/cached-application.js';
import { eventually } from '../../../../test/support/eventually.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { Bystander } from '../fixtures/entities.js';

const bystanders = defineQuery({
  name: 'bystanders',
  build: (source, _: Record<string, never>) =>
    source.getRepository(Bystander).createQueryBuilder('b'),
  map: ({ id }: Bystander) => id,
}).bind({});

let app: CachedApplication;
let database: pg.Client;
let invalidated = 0;

beforeAll(async () => {
  const databaseUrl = await createDatabase();
  app = await CachedApplication.start({ databaseUrl, entities: [Bystander], synchronize: true });
  await app.source.query(
    `CREATE FUNCTION roll() RETURNS int LANGUAGE plpgsql VOLATILE AS 'BEGIN RETURN 4; END';
     CREATE FUNCTION enter(id int) RETURNS int LANGUAGE plpgsql VOLATILE AS
       'BEGIN INSERT INTO bystanders VALUES (id); RETURN id; END';
     CREATE VIEW watched AS SELECT * FROM bystanders`,
  );
  app.cache.events.on('invalidated', () => (invalidated += 1));
  database = new pg.Client({ connectionString: databaseUrl });
  await database.connect();
});

afterAll(async () => {
  await database.end();
  await app.stop();
});

async function warm(): Promise<void> {
  await eventually(async () => {
    const { outcomes } = await app.observe(() => app.cache.run(bystanders));
    expect(outcomes).toEqual(['hit']);
  });
  invalidated = 0;
}

const hits = async (): Promise<readonly string[]> =>
  (await app.observe(() => app.cache.run(bystanders))).outcomes;

describe('a volatile function', () => {
  it.each([
    ['alone', () => app.source.query('SELECT roll()')],
    ['in a transaction', () => app.source.transaction((manager) => manager.query('SELECT roll()'))],
  ])('that has written nothing ends no answer, %s', async (_where, call) => {
    await warm();
    await call();
    expect(await hits()).toEqual(['hit']);
    expect(invalidated).toBe(0);
  });

  it('that has written ends them', async () => {
    await warm();
    await app.source.query('SELECT enter(1)');
    expect(await hits()).not.toEqual(['hit']);
    expect(invalidated).toBe(1);
    expect(await app.cache.run(bystanders)).toEqual([1]);
  });

  it('called beside a write ends everything', async () => {
    await warm();
    await app.source.transaction(async (manager) => {
      await manager.query('SELECT roll()');
      await manager.query('INSERT INTO bystanders VALUES (2)');
    });
    expect(await hits()).not.toEqual(['hit']);
  });
});

describe('a view read while the catalog is old', () => {
  it('does not outdate the catalog again', async () => {
    await warm();
    // Keeps the catalog from being loaded, and nothing else.
    await database.query('BEGIN; LOCK TABLE pg_catalog.pg_policy IN ACCESS EXCLUSIVE MODE');
    await app.source.query('CREATE TABLE another (id int)');
    invalidated = 0;
    for (let read = 0; read < 3; read += 1) {
      expect(await app.source.query('SELECT count(*)::int AS n FROM watched')).toHaveLength(1);
    }
    await database.query('ROLLBACK');
    expect(invalidated).toBe(0);
    await warm();
  });
});
