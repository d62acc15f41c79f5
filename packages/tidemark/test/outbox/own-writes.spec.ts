/**
 * Writes of the service to tables with triggers: published before COMMIT, with every change that the database has added,
 * also where the loaded catalog does not predict it. The relay publishes changes by user triggers a second time.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type pg from 'pg';
import { QueryFailedError } from 'typeorm';
import { defineQuery, type BoundQuery } from '../../src/index.js';
import { eventually } from '../../../../test/support/eventually.js';
import { Bystander } from '../fixtures/entities.js';
import { Account, Payment } from './accounts.entities.js';
import { endedOf, Outside, type OutsideOptions } from './outside.js';

const all = (entity: new () => object): BoundQuery =>
  defineQuery({
    name: entity.name,
    shape: 'raw',
    build: (source, _: Record<string, never>) =>
      source.getRepository(entity).createQueryBuilder('t').orderBy('t.id'),
  }).bind({});
const inRegion = defineQuery({
  name: 'in-region',
  shape: 'raw',
  build: (source, { region }: { region: string }) =>
    source.getRepository(Account).createQueryBuilder('a').where('a.region = :region', { region }),
});
const answers: Readonly<Record<string, BoundQuery>> = {
  US: inRegion.bind({ region: 'US' }),
  EU: inRegion.bind({ region: 'EU' }),
  payments: all(Payment),
  bystanders: all(Bystander),
};

const FOREIGN_KEY = `ALTER TABLE payments ADD FOREIGN KEY (account) REFERENCES accounts (id)
  ON DELETE CASCADE`;
const RULE = 'CREATE RULE paid AS ON DELETE TO accounts DO ALSO DELETE FROM payments';
const TRIGGER = `
  CREATE FUNCTION pay() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO public.payments VALUES (7, 7); RETURN NULL; END $$;
  CREATE TRIGGER pay AFTER DELETE ON accounts FOR EACH ROW EXECUTE FUNCTION pay()`;
const DEFERRED_TRIGGER = TRIGGER.replace('CREATE TRIGGER', 'CREATE CONSTRAINT TRIGGER').replace(
  'FOR EACH ROW',
  'DEFERRABLE INITIALLY DEFERRED FOR EACH ROW',
);

const optionsWith = (schema: string): OutsideOptions => ({
  entities: [Account, Payment, Bystander],
  schema: `
    INSERT INTO accounts VALUES (1, 'US'), (2, 'EU');
    INSERT INTO payments VALUES (11, 1), (12, 2);
    INSERT INTO bystanders VALUES (1);
    ${schema}`,
});
const openPlain = Outside.opening(optionsWith(''));

let outside: Outside;

async function open(schema?: string): Promise<void> {
  outside = await (schema === undefined ? openPlain() : Outside.open(optionsWith(schema)));
  await outside.emptied();
  await outside.warm(Object.values(answers));
}

afterEach(() => outside.close());

/** The answers that a write ends, and how often it is published, without the relay; all answers are right. */
async function endedBy(write: () => Promise<unknown>): Promise<{ ended: string[]; times: number }> {
  let times = 0;
  const count = (): void => void (times += 1);
  outside.app.cache.events.on('invalidated', count);
  try {
    await write();
    return { ended: await endedOf(answers, outside), times };
  } finally {
    outside.app.cache.events.off('invalidated', count);
  }
}

const remove = (): Promise<unknown> => outside.app.source.getRepository(Account).delete({ id: 1 });

describe('an expected change', () => {
  it('by the statement is published once', async () => {
    await open();
    let done;
    const relayed = await outside.relayed(async () => (done = await endedBy(remove)));
    expect(done).toEqual({ ended: ['US'], times: 1 });
    expect(relayed).toBe(0);
  });

  it.each([
    { what: 'by its foreign keys', schema: FOREIGN_KEY, again: 0 },
    { what: 'by its triggers', schema: TRIGGER, again: 1 },
    { what: 'by its triggers that wait for COMMIT', schema: DEFERRED_TRIGGER, again: 1 },
  ])('$what is published with the statement, and $again times by the relay', async (row) => {
    await open(row.schema);
    let done;
    const relayed = await outside.relayed(async () => (done = await endedBy(remove)));
    expect(done).toMatchObject({ ended: ['US', 'payments'] });
    if (row.again === 0) expect(done).toMatchObject({ times: 1 });
    expect(relayed).toBe(row.again);
  });

  it('by its triggers, over a transaction with savepoints, is published as far as it is committed', async () => {
    await open(TRIGGER);
    let done;
    const relayed = await outside.relayed(async () => {
      done = await endedBy(() =>
        outside.app.source.transaction(async (manager) => {
          await manager.transaction((inner) => inner.delete(Account, { id: 1 }));
          await manager
            .transaction(async (inner) => {
              await inner.delete(Payment, { id: 7 });
              await inner.delete(Account, { id: 2 });
              throw new Error('no');
            })
            .catch(() => undefined);
        }),
      );
    });
    expect(done).toMatchObject({ ended: ['US', 'payments'] });
    expect(relayed).toBe(1);
  });

  it('by its triggers that wait for COMMIT, and fail then, fails the write', async () => {
    await open(DEFERRED_TRIGGER.replace('(7, 7)', '(11, 7)'));
    const done = await endedBy(() => expect(remove()).rejects.toThrow(QueryFailedError));
    expect(done).toEqual({ ended: [], times: 0 });
    const inTransaction = outside.app.source.transaction((manager) => manager.delete(Account, 1));
    await expect(inTransaction).rejects.toThrow('duplicate key');
    expect(await endedOf(answers, outside)).toEqual([]);
  });

  it('by its triggers, under a role without rights on the outbox, is still published', async () => {
    const role = `guest_${process.pid}`;
    await open(`${TRIGGER};
      CREATE ROLE ${role};
      GRANT ALL ON accounts, payments, bystanders TO ${role}`);
    const relayed = await outside.relayed(() =>
      outside.app.source.transaction(async (manager) => {
        await manager.query(`SET LOCAL ROLE ${role}`);
        await manager.delete(Account, { id: 1 });
      }),
    );
    expect(relayed).toBe(1);
    expect(await outside.app.cache.run(answers['US'] as BoundQuery)).toEqual([]);
    await outside.client.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  });
});

describe('an unexpected change by an object created past the service', () => {
  it.each([
    { what: 'a foreign key', schema: FOREIGN_KEY, again: 0 },
    { what: 'a rule', schema: RULE, again: 0 },
    { what: 'a trigger', schema: TRIGGER, again: 1 },
  ])('$what, is published with the statement', async ({ schema, again }) => {
    await open();
    await outside.client.query(schema);
    let done;
    const relayed = await outside.relayed(async () => (done = await endedBy(remove)));
    expect(done).toMatchObject({ ended: ['US', 'payments'] });
    expect(relayed).toBe(again);
  });

  it('a trigger that runs during COMMIT, is published by the outbox', async () => {
    await open();
    await outside.client.query(DEFERRED_TRIGGER);
    expect(await outside.relayed(remove)).toBe(1);
    expect(await outside.app.cache.run(answers['payments'] as BoundQuery)).toHaveLength(3);
  });

  it('is seen where the session suppresses notices', async () => {
    await open();
    await outside.client.query(FOREIGN_KEY);
    const done = await endedBy(() =>
      outside.app.source.transaction(async (manager) => {
        await manager.query('SET LOCAL client_min_messages = error');
        await manager.delete(Account, { id: 1 });
      }),
    );
    expect(done.ended).toContain('payments');
  });
});

describe('a statement that passes no hook', () => {
  beforeEach(() => open());

  /** As a stream does, or a library that takes the connection. */
  async function removePastHooks(isInTransaction: boolean): Promise<void> {
    const runner = outside.app.source.createQueryRunner();
    try {
      if (isInTransaction) await runner.startTransaction();
      const client = (await runner.connect()) as pg.PoolClient;
      await client.query('DELETE FROM accounts WHERE id = 1');
      if (isInTransaction) await runner.commitTransaction();
    } finally {
      await runner.release();
    }
  }

  it('is published with its transaction', async () => {
    const done = await endedBy(() => removePastHooks(true));
    expect(done).toEqual({ ended: ['US', 'EU'], times: 1 });
  });

  it('and commits by itself is still seen', async () => {
    // All connections of the pool are known by now.
    await Promise.all(Array.from({ length: 5 }, () => outside.app.source.query('SELECT 1')));
    await removePastHooks(false);
    await eventually(async () => {
      expect(await outside.app.cache.run(answers['US'] as BoundQuery)).toEqual([]);
    });
  });
});
