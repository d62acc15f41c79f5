/**
 * Changes that the database adds to a statement of the service, to tables that the transaction has
 * written anyway; and statements over its connections that pass no hook. Nothing stays stale.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type pg from 'pg';
import { Column, Entity, PrimaryColumn, type QueryRunner } from 'typeorm';
import { CacheRegion, defineQuery, type BoundQuery } from '../../src/index.js';
import { eventually } from '../../../../test/support/eventually.js';
import { Account, Payment } from './accounts.entities.js';
import { Outside } from './outside.js';

/** Its columns are called like variables of the triggers' function. */
@Entity('parcels')
@CacheRegion<Parcel>('added')
@CacheRegion<Parcel>('regions')
class Parcel {
  @PrimaryColumn({ type: 'integer' })
  is_published: number;

  @Column({ type: 'text' })
  added: string;

  @Column({ type: 'text' })
  regions: string;
}

const inRegion = defineQuery({
  name: 'in-region',
  shape: 'raw',
  build: (source, { region }: { region: string }) =>
    source.getRepository(Account).createQueryBuilder('a').where('a.region = :region', { region }),
});
const payment = defineQuery({
  name: 'payment',
  shape: 'raw',
  build: (source, { id }: { id: number }) =>
    source.getRepository(Payment).createQueryBuilder('p').where('p.id = :id', { id }),
});
const answers: readonly BoundQuery[] = [
  ...['US', 'EU', 'APAC'].map((region) => inRegion.bind({ region })),
  ...[11, 12].map((id) => payment.bind({ id })),
];

const open = Outside.opening({
  entities: [Account, Payment, Parcel],
  schema: `
    INSERT INTO accounts VALUES (1, 'US', NULL), (2, 'EU', 1), (3, 'APAC', NULL);
    INSERT INTO payments VALUES (11, 1), (12, 2)`,
});

let outside: Outside;

beforeEach(async () => {
  outside = await open();
  await outside.emptied();
  await outside.warm(answers);
  // All connections of the pool are known by now.
  const sleeps = Array.from({ length: 5 }, () => outside.app.source.query('SELECT pg_sleep(0.05)'));
  await Promise.all(sleeps);
});

afterEach(() => outside.close());

/** Every answer becomes a hit again, and is what the database says. */
async function expectTruth(): Promise<void> {
  await outside.emptied();
  await outside.warm(answers);
  for (const query of answers) {
    const value: unknown = await outside.app.cache.run(query);
    expect(value).toEqual(await query.build(outside.app.source).getRawMany());
  }
}

describe('objects created past the service write more rows of a table that is written anyway', () => {
  it('a foreign key', async () => {
    await outside.client.query(
      'ALTER TABLE payments ADD FOREIGN KEY (account) REFERENCES accounts ON DELETE CASCADE',
    );
    await outside.app.source.transaction(async (manager) => {
      await manager.update(Payment, { id: 12 }, { account: 3 });
      await manager.delete(Account, { id: 1 });
    });
    await expectTruth();
  });

  it('a foreign key of a table to itself', async () => {
    await outside.client.query(
      'ALTER TABLE accounts ADD FOREIGN KEY (parent) REFERENCES accounts ON DELETE CASCADE',
    );
    await outside.app.source.getRepository(Account).delete({ id: 1 });
    await expectTruth();
  });

  it('a trigger that moves the row to another region', async () => {
    await outside.client.query(`
      CREATE FUNCTION moves() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN NEW.region := 'EU'; RETURN NEW; END $$;
      CREATE TRIGGER moves BEFORE UPDATE ON accounts FOR EACH ROW EXECUTE FUNCTION moves()`);
    await outside.app.source.getRepository(Account).update({ id: 1 }, { parent: 3 });
    await expectTruth();
  });
});

describe('a statement that passes no hook', () => {
  const DELETE = 'DELETE FROM accounts WHERE id = 1';

  async function over(
    work: (client: pg.PoolClient, runner: QueryRunner) => Promise<unknown>,
  ): Promise<void> {
    const runner = outside.app.source.createQueryRunner();
    try {
      await work((await runner.connect()) as pg.PoolClient, runner);
    } finally {
      await runner.release();
    }
  }

  it('in a transaction that has written its table', async () => {
    await over(async (client, runner) => {
      await runner.startTransaction();
      await runner.manager.update(Account, { id: 3 }, { parent: null });
      await client.query(DELETE);
      await runner.commitTransaction();
    });
    await expectTruth();
  });

  it('in a transaction that passes no hook either', async () => {
    await over(async (client) => {
      for (const sql of ['BEGIN', DELETE, 'COMMIT']) await client.query(sql);
    });
    await expectTruth();
  });

  it('between the last hook of a transaction and its COMMIT', async () => {
    await over(async (client, runner) => {
      await runner.startTransaction();
      await Promise.all([runner.commitTransaction(), client.query(DELETE)]);
    });
    await expectTruth();
  });
});

it('columns named like variables of the triggers can be written', async () => {
  await outside.client.query(`INSERT INTO parcels VALUES (1, 'x', 'y')`);
  await outside.app.source.getRepository(Parcel).update({ added: 'x' }, { regions: 'z' });
  await eventually(() => outside.emptied());
});

it('a transaction may set its isolation level over a new connection', async () => {
  await outside.app.source.query('CREATE TABLE makes_the_catalog_old ()');
  const runners = Array.from({ length: 5 }, () => outside.app.source.createQueryRunner());
  for (const runner of runners) {
    await runner.startTransaction('SERIALIZABLE');
    await runner.query(`UPDATE accounts SET parent = 3 WHERE id = 1`);
    await runner.rollbackTransaction();
  }
  for (const runner of runners) await runner.release();
});
