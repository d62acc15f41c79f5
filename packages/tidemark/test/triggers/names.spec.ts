/** Tables that inherit, and tables and columns that are renamed while the service runs. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../../../test/support/eventually.js';
import { Parcel } from '../matrix/fixtures/places.entities.js';
import { rowsOf, type World } from '../matrix/fixtures/world.js';
import { accountAnswers, accounts, type AccountAnswer } from './fixtures/accounts.js';
import { Scene } from './scene.js';

describe('inheritance', () => {
  const parcels = (condition?: string) => rowsOf('parcels', {}, condition, 't.id, t.grams');
  const answers = {
    parcels: parcels(),
    'parcels US': parcels(`t.region = 'US'`),
    'parcels EU': parcels(`t.region = 'EU'`),
    'parcel 1': parcels('t.id = 1'),
    express: rowsOf('express_parcels', {}),
    bystanders: rowsOf('bystanders', {}),
  };
  type Answer = keyof typeof answers;
  const world: World<Answer> = {
    entities: [Parcel],
    schema: `
      CREATE TABLE parcels (id int PRIMARY KEY, region varchar(10), grams int);
      CREATE TABLE express_parcels (hours int) INHERITS (parcels);
      CREATE TABLE bystanders (id int PRIMARY KEY)`,
    seed: `
      TRUNCATE parcels;
      INSERT INTO parcels VALUES (1, 'US', 100), (2, 'EU', 200);
      INSERT INTO express_parcels VALUES (3, 'EU', 300, 12)`,
    answers,
  };
  let scene: Scene<Answer>;
  beforeAll(async () => {
    scene = await Scene.open(world);
  });
  afterAll(() => scene.close());
  beforeEach(() => scene.prepare());

  it.each<{ what: string; text: string; ends: readonly Answer[]; keeps: readonly Answer[] }>([
    {
      what: 'a row of the parent',
      text: 'UPDATE parcels SET grams = 1 WHERE grams = 100',
      ends: ['parcels', 'parcels US', 'parcel 1'],
      keeps: ['parcels EU', 'bystanders'],
    },
    {
      what: 'ONLY the parent, which leaves the child as it is',
      text: 'UPDATE ONLY parcels SET grams = 2 WHERE grams >= 200',
      ends: ['parcels', 'parcels EU'],
      keeps: ['parcels US', 'parcel 1', 'bystanders'],
    },
    {
      what: 'rows of the child through the parent',
      text: 'UPDATE parcels SET grams = 3 WHERE grams = 300',
      ends: ['parcels', 'parcels EU', 'express'],
      keeps: ['bystanders'],
    },
    {
      what: 'rows of the child by its own name',
      text: 'UPDATE express_parcels SET grams = 4',
      ends: ['parcels', 'parcels EU', 'express'],
      keeps: ['bystanders'],
    },
    {
      what: 'a new row of the child',
      text: `INSERT INTO express_parcels VALUES (4, 'US', 1, 1)`,
      ends: ['parcels', 'parcels US', 'express'],
      keeps: ['bystanders'],
    },
  ])('$what', async ({ text, ends, keeps }) => {
    const ended = await scene.endedBy(({ source }) => source.query(text));
    expect(ended).toEqual(expect.arrayContaining([...ends]));
    expect(ended.filter((name) => keeps.includes(name))).toEqual([]);
    await scene.expectTruth();
  });

  it('a child that is created, inherits later and stops inheriting', async () => {
    for (const text of [
      'CREATE TABLE slow_parcels () INHERITS (parcels)',
      `INSERT INTO slow_parcels VALUES (5, 'US', 5)`,
      'UPDATE slow_parcels SET grams = 6',
      'ALTER TABLE slow_parcels NO INHERIT parcels',
      'UPDATE slow_parcels SET grams = 7',
      'ALTER TABLE slow_parcels INHERIT parcels',
      'DELETE FROM slow_parcels',
      'DROP TABLE slow_parcels',
    ]) {
      await scene.app.source.query(text);
      await scene.expectTruth();
    }
  });
});

describe('a table that is', () => {
  let scene: Scene<AccountAnswer>;
  beforeAll(async () => {
    scene = await Scene.open({ ...accounts, answers: accountAnswers });
  });
  afterAll(() => scene.close());
  beforeEach(() => scene.prepare());
  afterEach(() => scene.check());

  const NEW = `CREATE TABLE accounts (id int PRIMARY KEY, region text, balance int NOT NULL DEFAULT 0);
    INSERT INTO accounts VALUES (1, 'EU', 1), (2, 'US', 2)`;
  const RENAMED = `BEGIN; ALTER TABLE accounts RENAME TO accounts_old;
    ALTER INDEX accounts_pkey RENAME TO accounts_old_pkey; ${NEW}; COMMIT`;
  const MOVED = `BEGIN; CREATE SCHEMA archive; ALTER TABLE accounts SET SCHEMA archive; ${NEW}; COMMIT`;
  const DROPPED = `BEGIN; DROP TABLE accounts; ${NEW}; COMMIT`;
  const GONE = 'DROP TABLE IF EXISTS accounts_old; DROP SCHEMA IF EXISTS archive CASCADE';
  const UPDATE = `UPDATE accounts SET region = 'APAC' WHERE id = 1`;

  describe.each([
    { how: 'renamed, with another in its place', change: RENAMED },
    { how: 'moved to another schema, with another in its place', change: MOVED },
    { how: 'dropped and created again', change: DROPPED },
  ])('$how', ({ change }) => {
    afterEach(() => scene.app.source.query(GONE));

    it('by the service is followed', async () => {
      await scene.app.source.query(change);
      await scene.expectTruth();
      await scene.app.source.query(UPDATE);
      await scene.expectTruth();
      await scene.check();
      expect(await scene.endedBy(({ source }) => source.query(UPDATE))).toEqual([
        'accounts',
        'accounts APAC',
        'account 1',
      ]);
    });

    it('by another client is followed after a write of the service to it', async () => {
      await scene.otherClient.query(change);
      await scene.app.source.query(UPDATE);
      await scene.expectTruth();
      await scene.app.source.query('DELETE FROM accounts WHERE balance = 2');
      await scene.expectTruth();
      await scene.check();
      await scene.warm();
      const ended = await scene.endedBy(({ source }) =>
        source.query(`INSERT INTO accounts VALUES (7, 'EU', 7)`),
      );
      expect(ended).toEqual(['accounts', 'accounts EU']);
    });
  });

  describe.each([
    {
      what: 'renamed, and read by its other name',
      change: 'ALTER TABLE payments RENAME TO bills',
      back: 'ALTER TABLE bills RENAME TO payments',
      table: 'bills',
    },
    {
      what: 'left without its column of the region',
      change: 'ALTER TABLE payments RENAME COLUMN region TO area',
      back: 'ALTER TABLE payments RENAME COLUMN area TO region',
      table: 'payments',
    },
  ])('$what', ({ change, back, table }) => {
    const { query } = rowsOf(table, {}, 't.id = 11', 't.account AS account');
    const pay = (account: number): Promise<unknown> =>
      scene.app.source.query(`UPDATE ${table} SET account = ${account} WHERE id = 11`);

    it.each(['the service', 'another client'])('by %s, is followed', async (who) => {
      const { app, otherClient } = scene;
      await (who === 'another client' ? otherClient : app.source).query(change);
      try {
        for (const account of [3, 4]) {
          await pay(account);
          expect(await app.cache.run(query)).toEqual([{ account }]);
          await eventually(async () =>
            expect(await app.observe(() => app.cache.run(query))).toMatchObject({
              outcomes: ['hit'],
            }),
          );
        }
        await scene.check();
        await pay(5);
        expect(await app.cache.run(query)).toEqual([{ account: 5 }]);
      } finally {
        await (who === 'another client' ? otherClient : app.source).query(back);
      }
      await app.source.query(`UPDATE payments SET region = 'EU' WHERE id = 11`);
      await scene.expectTruth();
    });
  });
});
