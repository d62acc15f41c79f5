/** Statements over connections of the data source that pass no hook of TypeORM. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type pg from 'pg';
import type { QueryRunner } from 'typeorm';
import { eventually } from '../../../../test/support/eventually.js';
import { Account, accounts, type AccountAnswer } from './fixtures/accounts.js';
import { copyIn, readRowByRow } from './fixtures/unhooked.js';
import { Scene } from './scene.js';

type Send = (client: pg.PoolClient) => Promise<unknown>;

const UPDATE = `UPDATE accounts SET balance = balance + 1 WHERE region = 'US'`;
const WAYS: readonly { how: string; send: Send; ends: readonly AccountAnswer[] }[] = [
  {
    how: 'a statement on the client of the driver',
    send: (client) => client.query(UPDATE),
    ends: ['accounts', 'accounts US', 'account 1'],
  },
  {
    how: 'rows that are read one by one, as a stream does',
    send: async (client) => expect(await readRowByRow(client, `${UPDATE} RETURNING id`)).toBe(1),
    ends: ['accounts', 'accounts US', 'account 1'],
  },
  {
    how: 'COPY FROM STDIN',
    send: (client) => copyIn(client, 'COPY accounts FROM STDIN CSV', '7,EU,1\n8,EU,2\n'),
    ends: ['accounts', 'accounts EU'],
  },
  {
    how: 'COPY FROM PROGRAM',
    send: (client) => client.query(`COPY accounts FROM PROGRAM 'echo 9,APAC,1' CSV`),
    ends: ['accounts', 'accounts APAC'],
  },
];

let scene: Scene<AccountAnswer>;

beforeAll(async () => {
  scene = await Scene.open(accounts);
});
afterAll(() => scene.close());
beforeEach(async () => {
  await scene.prepare();
  // All connections of the pool are known by now.
  const sleeps = Array.from({ length: 5 }, () => scene.app.source.query('SELECT pg_sleep(0.02)'));
  await Promise.all(sleeps);
});

async function over(
  work: (client: pg.PoolClient, runner: QueryRunner) => Promise<unknown>,
): Promise<void> {
  const runner = scene.app.source.createQueryRunner();
  try {
    await work((await runner.connect()) as pg.PoolClient, runner);
  } finally {
    await runner.release();
  }
}

describe.each(WAYS)('$how', ({ send, ends }) => {
  /** The COMMIT may pass no hook: all answers of its table end at once as well. */
  function expectWholeTable(ended: readonly AccountAnswer[]): void {
    expect(ended).toEqual(expect.arrayContaining([...ends]));
    expect(ended.filter((name) => !name.startsWith('account'))).toEqual([]);
  }

  it('in a transaction of TypeORM is published with its COMMIT', async () => {
    const ended = await scene.endedBy(() =>
      over(async (client, runner) => {
        await runner.startTransaction();
        await send(client);
        // A read at this time must not be stored.
        await scene.ended();
        await runner.commitTransaction();
      }),
    );
    expectWholeTable(ended);
    await scene.expectTruth();
  });

  it('beside statements that are followed ends both', async () => {
    const ended = await scene.endedBy(() =>
      over(async (client, runner) => {
        await runner.startTransaction();
        await runner.manager.update(Account, { id: 2 }, { balance: 3 });
        await send(client);
        await runner.commitTransaction();
      }),
    );
    expectWholeTable(ended);
    expect(ended).toEqual(expect.arrayContaining(['accounts EU', 'account 2']));
  });

  it('that is rolled back leaves nothing stale', async () => {
    const ended = await scene.endedBy(() =>
      over(async (client, runner) => {
        await runner.startTransaction();
        await send(client);
        await runner.rollbackTransaction();
      }),
    );
    expect(ended.filter((name) => !name.startsWith('account'))).toEqual([]);
    await scene.expectTruth();
  });

  it('in a savepoint that is rolled back leaves nothing stale', async () => {
    await scene.endedBy(() =>
      over(async (client, runner) => {
        await runner.startTransaction();
        await runner.startTransaction();
        await send(client);
        await runner.rollbackTransaction();
        await runner.commitTransaction();
      }),
    );
    await scene.expectTruth();
  });

  it('that commits by itself is seen right after', async () => {
    await scene.warm();
    await over(send);
    await eventually(() => scene.expectTruth());
  });

  it('in a transaction that passes no hook either is seen right after', async () => {
    await scene.warm();
    await over(async (client) => {
      await client.query('BEGIN');
      await send(client);
      // A read at this time must not be stored.
      await scene.ended();
      await client.query('COMMIT');
    });
    await eventually(() => scene.expectTruth());
  });
});

it('a transaction begun past the hooks and committed through TypeORM is published', async () => {
  const ended = await scene.endedBy(() =>
    over(async (client, runner) => {
      await client.query('BEGIN');
      await client.query(UPDATE);
      await runner.query('COMMIT');
    }),
  );
  expect(ended).toEqual(expect.arrayContaining(['accounts', 'accounts US', 'account 1']));
  await scene.expectTruth();
});

/** Runs during COMMIT, when nothing can be published any more. */
const DEFERRED = `
  CREATE FUNCTION pays() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    UPDATE payments SET region = 'EU' WHERE id = 11; RETURN NULL; END $$;
  CREATE CONSTRAINT TRIGGER pays AFTER UPDATE ON accounts DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.balance = 106) EXECUTE FUNCTION pays()`;

describe('a write that the relay publishes', () => {
  let relaying: Scene<AccountAnswer>;
  beforeAll(async () => {
    const schema = `${accounts.schema}; ${DEFERRED}`;
    relaying = await Scene.open({ ...accounts, schema }, { relays: true });
  });
  afterAll(() => relaying.close());
  beforeEach(() => relaying.prepare());

  it('may come from a separate pool of the same process', async () => {
    await relaying.otherClient.query(UPDATE);
    await eventually(() => relaying.expectTruth());
  });

  it('may come from a deferred trigger of a statement that passes no hook', async () => {
    const runner = relaying.app.source.createQueryRunner();
    try {
      const client = (await runner.connect()) as pg.PoolClient;
      await client.query('UPDATE accounts SET balance = 106 WHERE id = 1');
    } finally {
      await runner.release();
    }
    await eventually(() => relaying.expectTruth());
  });
});
