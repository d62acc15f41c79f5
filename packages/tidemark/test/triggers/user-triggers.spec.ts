/** User triggers: their changes end exactly the affected answers. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { rowsOf, type World } from '../matrix/fixtures/world.js';
import { Account, accountAnswers, accounts } from './fixtures/accounts.js';
import { Scene, sql, type Write } from './scene.js';

/** Its table has no entity, and so no triggers of the cache. */
const journal = { journal: rowsOf('journal', {}), 'journal 1': rowsOf('journal', {}, 't.id = 1') };
const answers = { ...accountAnswers, ...journal };
type Answer = keyof typeof answers;

const trigger = (name: string, when: string, body: string): string => `
  CREATE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body} END $$;
  CREATE ${when} EXECUTE FUNCTION ${name}()`;

/** Each acts on one balance alone, so that all can be there at once. */
const TRIGGERS = [
  trigger(
    'moves',
    'TRIGGER moves BEFORE INSERT OR UPDATE ON accounts FOR EACH ROW WHEN (NEW.balance = 101)',
    `NEW.region := 'APAC'; RETURN NEW;`,
  ),
  trigger(
    'refuses',
    'TRIGGER refuses BEFORE INSERT OR UPDATE ON accounts FOR EACH ROW WHEN (NEW.balance = 102)',
    'RETURN NULL;',
  ),
  trigger(
    'pays_before',
    'TRIGGER pays_before BEFORE UPDATE ON accounts FOR EACH ROW WHEN (NEW.balance = 103)',
    'UPDATE payments SET account = 0 WHERE id = 12; RETURN NEW;',
  ),
  trigger(
    'pays_after',
    'TRIGGER pays_after AFTER UPDATE ON accounts FOR EACH ROW WHEN (NEW.balance = 104)',
    `INSERT INTO payments VALUES (99, 'APAC', 1); RETURN NULL;`,
  ),
  trigger(
    'notes',
    'TRIGGER notes AFTER UPDATE ON accounts FOR EACH ROW WHEN (NEW.balance = 105)',
    `UPDATE journal SET n = n + 1; RETURN NULL;`,
  ),
  trigger(
    'pays_late',
    `CONSTRAINT TRIGGER pays_late AFTER UPDATE ON accounts DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW WHEN (NEW.balance = 106)`,
    `UPDATE payments SET region = 'EU' WHERE id = 11; RETURN NULL;`,
  ),
  trigger(
    'notes_late',
    `CONSTRAINT TRIGGER notes_late AFTER UPDATE ON accounts DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW WHEN (NEW.balance = 107)`,
    `UPDATE journal SET n = n + 1; RETURN NULL;`,
  ),
  trigger(
    'fails_late',
    `CONSTRAINT TRIGGER fails_late AFTER UPDATE ON accounts DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW WHEN (NEW.balance = 112)`,
    `RAISE 'too late';`,
  ),
  trigger(
    'leads',
    'TRIGGER leads AFTER UPDATE ON payments FOR EACH ROW WHEN (NEW.account = 108)',
    `UPDATE accounts SET balance = 101 WHERE id = 2; RETURN NULL;`,
  ),
  trigger(
    'gives_up',
    'TRIGGER gives_up AFTER UPDATE ON accounts FOR EACH ROW WHEN (NEW.balance = 109)',
    `BEGIN UPDATE payments SET account = 0 WHERE id = 12; RAISE 'undone';
     EXCEPTION WHEN OTHERS THEN NULL; END; RETURN NULL;`,
  ),
  trigger(
    'cancels',
    'TRIGGER cancels BEFORE DELETE ON accounts FOR EACH ROW WHEN (OLD.balance = 20)',
    'UPDATE accounts SET balance = 0 WHERE id = 3; RETURN NULL;',
  ),
  trigger(
    'notes_instead',
    'TRIGGER notes_instead BEFORE UPDATE ON accounts FOR EACH ROW WHEN (NEW.balance = 110)',
    'UPDATE journal SET n = n + 1; RETURN NULL;',
  ),
  trigger(
    'notes_before',
    'TRIGGER notes_before BEFORE INSERT ON accounts FOR EACH ROW WHEN (NEW.balance = 111)',
    'UPDATE journal SET n = n + 1; RETURN NEW;',
  ),
  trigger(
    'notes_each',
    'TRIGGER notes_each AFTER DELETE ON bystanders FOR EACH STATEMENT',
    'UPDATE journal SET n = n + 1; RETURN NULL;',
  ),
  trigger(
    'counts',
    'TRIGGER counts AFTER INSERT OR UPDATE ON accounts FOR EACH STATEMENT',
    'PERFORM 1; RETURN NULL;',
  ),
];

const world: World<Answer> = {
  entities: accounts.entities,
  schema: `${accounts.schema};
    CREATE TABLE journal (id int PRIMARY KEY, n int NOT NULL);
    ${TRIGGERS.join(';')}`,
  seed: `${accounts.seed}; TRUNCATE journal; INSERT INTO journal VALUES (1, 0)`,
  answers,
};

let scene: Scene<Answer>;

beforeAll(async () => {
  scene = await Scene.open(world);
});
afterAll(() => scene.close());
beforeEach(() => scene.prepare());

const setBalance = (balance: number): string =>
  `UPDATE accounts SET balance = ${balance} WHERE id = 1`;
const within =
  (...texts: readonly string[]): Write =>
  ({ source }) =>
    source.transaction(async (manager) => {
      for (const text of texts) await manager.query(text);
    });

const ACCOUNT_1: readonly Answer[] = ['accounts', 'accounts US', 'account 1'];

describe('a trigger with triggers of the cache on every table that it writes', () => {
  it.each<{ what: string; write: Write; ends: readonly Answer[] }>([
    { what: 'that does nothing', write: sql(setBalance(1)), ends: ACCOUNT_1 },
    {
      what: 'BEFORE that moves the row to another region',
      write: sql(setBalance(101)),
      ends: [...ACCOUNT_1, 'accounts APAC'],
    },
    {
      what: 'BEFORE that moves what is saved',
      write: ({ source }) => source.manager.save(Account, { id: 2, region: 'US', balance: 101 }),
      ends: ['accounts', 'accounts EU', 'accounts APAC', 'account 2'],
    },
    {
      what: 'BEFORE that returns NULL: nothing is updated',
      write: sql(setBalance(102)),
      ends: [],
    },
    {
      what: 'BEFORE that returns NULL: nothing is inserted',
      write: ({ source }) => source.manager.insert(Account, { id: 8, region: 'US', balance: 102 }),
      ends: [],
    },
    {
      what: 'BEFORE that returns NULL for one row of two',
      write: sql(`INSERT INTO accounts VALUES (8, 'US', 102), (9, 'EU', 1)`),
      ends: ['accounts', 'accounts EU'],
    },
    {
      what: 'BEFORE that changes another row and returns NULL',
      write: ({ source }) => source.manager.delete(Account, { id: 2 }),
      ends: ['accounts', 'accounts APAC'],
    },
    {
      what: 'BEFORE that writes another table',
      write: sql(setBalance(103)),
      ends: [...ACCOUNT_1, 'payments', 'payments EU'],
    },
    {
      what: 'AFTER that writes another table',
      write: sql(setBalance(104)),
      ends: [...ACCOUNT_1, 'payments', 'payments APAC'],
    },
    {
      what: 'that fires others, two deep',
      write: sql('UPDATE payments SET account = 108 WHERE id = 11'),
      ends: [
        ...(['payments', 'payments US', 'payment 11'] as const),
        ...(['accounts', 'accounts EU', 'accounts APAC', 'account 2'] as const),
      ],
    },
    {
      what: 'deferred, of a single statement: what it writes during COMMIT',
      write: sql(setBalance(106)),
      ends: [...ACCOUNT_1, 'payments', 'payments US', 'payments EU', 'payment 11'],
    },
    {
      what: 'deferred, of a transaction that wrote elsewhere too',
      write: within(setBalance(106), 'DELETE FROM payments WHERE id = 13'),
      ends: [
        ...ACCOUNT_1,
        ...(['payments', 'payments US', 'payments EU', 'payments APAC', 'payment 11'] as const),
      ],
    },
    {
      what: 'deferred, made immediate by the transaction',
      write: within('SET CONSTRAINTS ALL IMMEDIATE', setBalance(106)),
      ends: [...ACCOUNT_1, 'payments', 'payments US', 'payments EU', 'payment 11'],
    },
    {
      what: 'deferred, of a savepoint that is rolled back',
      write: within('SAVEPOINT a', setBalance(106), 'ROLLBACK TO a', setBalance(2)),
      ends: ACCOUNT_1,
    },
  ])('$what', async ({ write, ends }) => {
    const wanted = new Set(ends);
    expect(await scene.endedBy(write)).toEqual(scene.names.filter((name) => wanted.has(name)));
    await scene.expectTruth();
  });

  it('that rolls back its writes leaves nothing stale, and ends no other table', async () => {
    const ended = await scene.endedBy(sql(setBalance(109)));
    expect(ended).toEqual(expect.arrayContaining([...ACCOUNT_1]));
    expect(ended).not.toContain('bystanders');
    await scene.expectTruth();
  });

  it('that defers a failure to COMMIT: the caller gets the error, and nothing ends', async () => {
    await scene.app.source.query(`ALTER TABLE payments ADD CONSTRAINT once UNIQUE (account)
      DEFERRABLE INITIALLY DEFERRED`);
    try {
      const ended = await scene.endedBy((app) =>
        expect(within('UPDATE payments SET account = 2')(app)).rejects.toMatchObject({
          code: '23505',
        }),
      );
      expect(ended).toEqual([]);
    } finally {
      await scene.app.source.query('ALTER TABLE payments DROP CONSTRAINT once');
    }
  });
});

it('a COMMIT in SQL that a deferred trigger fails has ended its transaction', async () => {
  const runner = scene.app.source.createQueryRunner();
  try {
    for (const text of ['BEGIN', setBalance(112)]) await runner.query(text);
    await expect(runner.query('COMMIT')).rejects.toThrow('too late');
    expect(await runner.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await runner.query(setBalance(3));
  } finally {
    await runner.release();
  }
  await scene.expectTruth();
});

describe('a trigger that writes a table without triggers of the cache', () => {
  it.each<{ what: string; write: Write }>([
    { what: 'with a single statement', write: sql(setBalance(105)) },
    { what: 'in a transaction', write: within(setBalance(1), setBalance(105)) },
    {
      what: 'in an entity that is saved',
      write: ({ source }) => source.manager.save(Account, { id: 1, region: 'US', balance: 105 }),
    },
    { what: 'during COMMIT', write: sql(setBalance(107)) },
    { what: 'during COMMIT of a transaction', write: within(setBalance(107), setBalance(3)) },
  ])('leaves nothing stale: $what', async ({ write }) => {
    const ended = await scene.endedBy(write);
    expect(ended).toEqual(expect.arrayContaining([...ACCOUNT_1, 'journal', 'journal 1']));
    await scene.expectTruth();
  });

  it.each<{ what: string; write: Write }>([
    {
      what: 'BEFORE that returns NULL',
      write: sql(setBalance(110)),
    },
    {
      what: 'BEFORE that returns NULL, in a transaction',
      write: within(setBalance(110)),
    },
    {
      what: 'BEFORE an insert that finds the row there',
      write: sql(`INSERT INTO accounts VALUES (1, 'US', 111) ON CONFLICT DO NOTHING`),
    },
    {
      what: 'of statements',
      write: sql('DELETE FROM bystanders WHERE id = 999'),
    },
  ])('ends its answers where no other row was written: $what', async ({ write }) => {
    expect(await scene.endedBy(write)).toEqual(['journal', 'journal 1']);
    await scene.expectTruth();
  });
});
