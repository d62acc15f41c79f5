/** Writable views, and rules that write other tables: the changed tables report their rows. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { rowsOf, type World } from '../matrix/fixtures/world.js';
import { accountAnswers, accounts } from './fixtures/accounts.js';
import { Scene } from './scene.js';

const answers = {
  ...accountAnswers,
  'view of US': rowsOf('us_accounts', {}),
  'view of sums': rowsOf('sums', {}),
  journal: rowsOf('journal', {}),
};
type Answer = keyof typeof answers;

const world: World<Answer> = {
  entities: accounts.entities,
  schema: `${accounts.schema};
    CREATE TABLE journal (id int);
    CREATE VIEW us_accounts AS SELECT id, region, balance FROM accounts WHERE region = 'US';
    CREATE VIEW sums AS SELECT region, sum(balance)::int AS balance FROM accounts GROUP BY region;
    CREATE FUNCTION add_up() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF NEW.balance = 0 THEN RETURN NEW; END IF;
      IF NEW.balance < 0 THEN INSERT INTO journal VALUES (NEW.balance); RETURN NEW; END IF;
      INSERT INTO accounts VALUES (50, NEW.region, NEW.balance);
      RETURN NEW; END $$;
    CREATE TRIGGER add_up INSTEAD OF INSERT ON sums FOR EACH ROW EXECUTE FUNCTION add_up();
    CREATE TABLE orders (id int, account int);
    CREATE TABLE wishes (id int, account int);
    CREATE TABLE drafts (id int, account int);
    CREATE RULE also AS ON INSERT TO orders
      DO ALSO UPDATE accounts SET balance = balance - 1 WHERE id = NEW.account;
    CREATE RULE instead AS ON INSERT TO wishes
      DO INSTEAD INSERT INTO payments VALUES (NEW.id, 'APAC', NEW.account);
    CREATE RULE nothing AS ON INSERT TO drafts DO INSTEAD NOTHING;
    CREATE RULE keeps AS ON DELETE TO accounts WHERE OLD.balance = 20
      DO INSTEAD UPDATE accounts SET balance = 21 WHERE id = OLD.id;
    CREATE RULE follows AS ON UPDATE TO payments WHERE NEW.account = 777
      DO ALSO INSERT INTO journal VALUES (NEW.id);
    CREATE RULE swaps AS ON UPDATE TO bystanders
      DO INSTEAD UPDATE accounts SET balance = NEW.id WHERE id = 2;
    CREATE RULE notes AS ON DELETE TO bystanders DO INSTEAD INSERT INTO journal VALUES (OLD.id)`,
  seed: `${accounts.seed}; TRUNCATE journal`,
  answers,
};

let scene: Scene<Answer>;

beforeAll(async () => {
  scene = await Scene.open(world);
});
afterAll(() => scene.close());
beforeEach(() => scene.prepare());

interface Row {
  readonly what: string;
  readonly text: string;
  readonly ends: readonly Answer[];
}

function table(rows: readonly Row[]): void {
  it.each(rows)('$what', async ({ text, ends }) => {
    const wanted = new Set(ends);
    const ended = await scene.endedBy(({ source }) => source.query(text));
    expect(ended).toEqual(scene.names.filter((name) => wanted.has(name)));
    await scene.expectTruth();
  });
}

const ACCOUNT_1: readonly Answer[] = ['accounts', 'accounts US', 'account 1', 'view of US'];

describe('a view', () => {
  table([
    {
      what: 'that is updated: the row under it',
      text: 'UPDATE us_accounts SET balance = 1',
      ends: [...ACCOUNT_1, 'view of sums'],
    },
    {
      what: 'that is updated: the row leaves it',
      text: `UPDATE us_accounts SET region = 'EU' WHERE id = 1`,
      ends: [...ACCOUNT_1, 'accounts EU', 'view of sums'],
    },
    {
      what: 'that is inserted into',
      text: `INSERT INTO us_accounts VALUES (60, 'APAC', 1)`,
      ends: ['accounts', 'accounts APAC', 'view of sums'],
    },
    {
      what: 'that is deleted from, without a row that fits',
      text: 'DELETE FROM us_accounts WHERE id = 2',
      ends: [],
    },
    {
      what: 'with INSTEAD OF: what the trigger inserts',
      text: `INSERT INTO sums VALUES ('EU', 5)`,
      ends: ['accounts', 'accounts EU', 'view of sums'],
    },
  ]);

  it('with INSTEAD OF that writes nothing leaves nothing stale', async () => {
    await scene.endedBy(({ source }) => source.query(`INSERT INTO sums VALUES ('EU', 0)`));
    await scene.expectTruth();
    expect(scene.health).toEqual({ status: 'up' });
  });

  it('with INSTEAD OF that writes a table without triggers leaves nothing stale', async () => {
    const ended = await scene.endedBy(({ source }) =>
      source.query(`INSERT INTO sums VALUES ('EU', -1)`),
    );
    expect(ended).toContain('journal');
    await scene.expectTruth();
  });
});

describe('a rule', () => {
  table([
    {
      what: 'DO ALSO: what it writes',
      text: 'INSERT INTO orders VALUES (1, 1)',
      ends: [...ACCOUNT_1, 'view of sums'],
    },
    {
      what: 'DO INSTEAD: what it writes',
      text: 'INSERT INTO wishes VALUES (90, 1)',
      ends: ['payments', 'payments APAC'],
    },
    { what: 'DO INSTEAD NOTHING', text: 'INSERT INTO drafts VALUES (1, 1)', ends: [] },
    {
      what: 'DO INSTEAD on a table with triggers: the other table',
      text: 'UPDATE bystanders SET id = 5',
      ends: ['accounts', 'accounts EU', 'account 2', 'view of sums'],
    },
    {
      what: 'with a condition: one row is updated, the other deleted',
      text: 'DELETE FROM accounts WHERE id IN (1, 2)',
      ends: [...ACCOUNT_1, 'accounts EU', 'account 2', 'view of sums'],
    },
  ]);

  it('DO ALSO that writes a table without triggers leaves nothing stale', async () => {
    const ended = await scene.endedBy(({ source }) =>
      source.query('UPDATE payments SET account = 777 WHERE id = 12'),
    );
    expect(ended).toEqual(expect.arrayContaining(['payments', 'payments EU', 'journal']));
    await scene.expectTruth();
  });

  it('DO INSTEAD that writes a table without triggers leaves nothing stale', async () => {
    expect(await scene.endedBy(({ source }) => source.query('DELETE FROM bystanders'))).toEqual([
      'journal',
    ]);
    await scene.expectTruth();
  });

  it('leaves health as it is', () => expect(scene.health).toEqual({ status: 'up' }));
});
