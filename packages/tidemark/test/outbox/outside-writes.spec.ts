/**
 * Writes past the service, over a separate connection: which answers they end, once relayed. A
 * hit is reported by the cache; after each write every answer equals the database's.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { defineQuery, type BoundQuery } from '../../src/index.js';
import { Bystander, Customer } from '../fixtures/entities.js';
import { endedOf, Outside } from './outside.js';

const inRegion = defineQuery({
  name: 'in-region',
  shape: 'raw',
  build: (source, { region }: { region: string }) =>
    source
      .getRepository(Customer)
      .createQueryBuilder('c')
      .select(['c.id AS id', 'c.visits AS visits'])
      .where('c.region = :region', { region })
      .orderBy('c.id'),
});
const byId = defineQuery({
  name: 'by-id',
  shape: 'raw',
  build: (source, { id }: { id: number }) =>
    source
      .getRepository(Customer)
      .createQueryBuilder('c')
      .select('c.visits', 'visits')
      .where('c.id = :id', { id }),
});
const counts = defineQuery({
  name: 'counts',
  shape: 'raw',
  build: (source, _: Record<string, never>) =>
    source.getRepository(Customer).createQueryBuilder('c').select('count(*)::int', 'customers'),
});
const bystanders = defineQuery({
  name: 'bystanders',
  shape: 'raw',
  build: (source, _: Record<string, never>) =>
    source.getRepository(Bystander).createQueryBuilder('b').select('b.id', 'id').orderBy('b.id'),
});

/** Customers 1 and 2 live in US, 3 in EU. */
const answers: Readonly<Record<string, BoundQuery>> = {
  US: inRegion.bind({ region: 'US' }),
  EU: inRegion.bind({ region: 'EU' }),
  'customer 1': byId.bind({ id: 1 }),
  'customer 3': byId.bind({ id: 3 }),
  'customer 99': byId.bind({ id: 99 }),
  counts: counts.bind({}),
  bystanders: bystanders.bind({}),
};
const everyCustomer = ['US', 'EU', 'customer 1', 'customer 3', 'customer 99', 'counts'];
const everything = [...everyCustomer, 'bystanders'];

let outside: Outside;

beforeAll(async () => {
  outside = await Outside.open({
    entities: [Customer, Bystander],
    schema: `
      CREATE TABLE notes (customer int REFERENCES customers ON DELETE CASCADE);
      CREATE FUNCTION visit(customer int) RETURNS void LANGUAGE sql
        AS 'UPDATE public.customers SET visits = visits + 1 WHERE id = customer';
      CREATE ROLE guest_${process.pid};
      GRANT ALL ON customers TO guest_${process.pid}`,
  });
});

afterAll(async () => {
  await outside.client.query(`DROP OWNED BY guest_${process.pid}; DROP ROLE guest_${process.pid}`);
  await outside.close();
});

beforeEach(async () => {
  // Over the client: for a second, PostgreSQL counts the changes of a TRUNCATE for later transactions of its session too.
  await outside.client.query('TRUNCATE customers RESTART IDENTITY CASCADE');
  await outside.client.query(
    `INSERT INTO customers (name, region) VALUES ('ann', 'US'), ('bob', 'US'), ('cleo', 'EU')`,
  );
  await outside.emptied();
  await outside.warm(Object.values(answers));
});

const sql =
  (...statements: readonly string[]) =>
  async (): Promise<void> => {
    for (const statement of statements) await outside.client.query(statement);
  };

describe('a write past the service ends the answers that it changes', () => {
  it.each<[string, () => Promise<unknown>, readonly string[], number]>([
    ['nothing', async () => undefined, [], 0],
    [
      'insert',
      sql(`INSERT INTO customers (name, region) VALUES ('dai', 'EU')`),
      ['EU', 'counts'],
      1,
    ],
    [
      'update in place',
      sql('UPDATE customers SET visits = 5 WHERE id = 1'),
      ['US', 'customer 1', 'counts'],
      1,
    ],
    [
      'move to another region',
      sql(`UPDATE customers SET region = 'EU' WHERE id = 1`),
      ['US', 'EU', 'customer 1', 'counts'],
      1,
    ],
    ['update that finds no row', sql('UPDATE customers SET visits = 5 WHERE id = 99'), [], 0],
    ['delete', sql('DELETE FROM customers WHERE id = 3'), ['EU', 'customer 3', 'counts'], 1],
    ['truncate', sql('TRUNCATE customers CASCADE'), everyCustomer, 1],
    [
      'copy',
      sql(`COPY customers (name, region) FROM PROGRAM 'printf "eve\\tEU\\n"'`),
      ['EU', 'counts'],
      1,
    ],
    [
      'a transaction of several statements',
      sql('BEGIN', 'SELECT visit(1)', `DELETE FROM customers WHERE id = 3`, 'COMMIT'),
      ['US', 'EU', 'customer 1', 'customer 3', 'counts'],
      2,
    ],
    ['one that is rolled back', sql('BEGIN', 'SELECT visit(1)', 'ROLLBACK'), [], 0],
    ['a block', sql(`DO $$ BEGIN PERFORM visit(3); END $$`), ['EU', 'customer 3', 'counts'], 1],
    [
      'a session that has disabled triggers',
      sql(
        'SET session_replication_role = replica',
        'SELECT visit(3)',
        'RESET session_replication_role',
      ),
      ['EU', 'customer 3', 'counts'],
      1,
    ],
    [
      'a role with no rights but on the table',
      sql(`SET ROLE guest_${process.pid}`, 'DELETE FROM customers WHERE id = 3', 'RESET ROLE'),
      ['EU', 'customer 3', 'counts'],
      1,
    ],
    [
      'merge',
      sql(`MERGE INTO customers c USING (VALUES (3)) AS v(id) ON c.id = v.id
           WHEN MATCHED THEN UPDATE SET visits = 9`),
      ['EU', 'customer 3', 'counts'],
      1,
    ],
    [
      'very many rows: one row in the outbox, and the table as a whole',
      sql(`INSERT INTO customers (name, region)
             SELECT 'n' || n, 'R' || n FROM generate_series(1, 100000) n`),
      everyCustomer,
      1,
    ],
    [
      'a change that the outbox cannot name: everything',
      sql(`INSERT INTO tidemark_tidemark.outbox (table_name, regions) VALUES ('public.no', '[7]')`),
      everything,
      1,
    ],
  ])('%s', async (_what, write, expected, rows) => {
    const relayed = await outside.relayed(write);
    expect((await endedOf(answers, outside)).toSorted()).toEqual([...expected].toSorted());
    expect(relayed).toBe(rows);
  });
});

describe('a write of the service itself', () => {
  it('is published once: its triggers add nothing', async () => {
    let invalidated = 0;
    const count = (): void => void (invalidated += 1);
    outside.app.cache.events.on('invalidated', count);
    const relayed = await outside.relayed(async () => {
      const repository = outside.app.source.getRepository(Customer);
      await repository.update({ id: 1 }, { visits: 7 });
      await repository.save(repository.create({ name: 'eve', region: 'EU' }));
    });
    outside.app.cache.events.off('invalidated', count);
    expect({ relayed, invalidated }).toEqual({ relayed: 0, invalidated: 2 });
  });

  it('ends the answers that it names, and no more: the triggers are no side effect', async () => {
    await outside.app.source.getRepository(Customer).update({ id: 1 }, { visits: 7 });
    expect((await endedOf(answers, outside)).toSorted()).toEqual(['US', 'counts', 'customer 1']);
  });
});
