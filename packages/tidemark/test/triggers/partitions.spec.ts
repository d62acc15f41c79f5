/** Partitions: written through their table and by their own names, made, attached and detached meanwhile. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Event } from '../matrix/fixtures/places.entities.js';
import { rowsOf, type World } from '../matrix/fixtures/world.js';
import { Bystander } from './fixtures/accounts.js';
import { Scene, sql, type Write } from './scene.js';

const events = (condition?: string) => rowsOf('events', {}, condition);
const answers = {
  events: events(),
  'events US': events(`t.region = 'US'`),
  'events EU': events(`t.region = 'EU'`),
  'events APAC': events(`t.region = 'APAC'`),
  'event 1 US': events(`t.id = 1 AND t.region = 'US'`),
  'partition US': rowsOf('events_us', {}),
  'partition EU': rowsOf('events_eu', {}),
  bystanders: rowsOf('bystanders', {}),
};
type Answer = keyof typeof answers;

const MERGE = `MERGE INTO events e USING (VALUES (1)) AS s (id) ON e.id = s.id
  WHEN MATCHED THEN UPDATE SET region = 'EU'`;

const world: World<Answer> = {
  entities: [Event, Bystander],
  schema: `
    CREATE TABLE events (id int, region varchar(10), guests int NOT NULL DEFAULT 0,
      PRIMARY KEY (id, region)) PARTITION BY LIST (region);
    CREATE TABLE events_us PARTITION OF events FOR VALUES IN ('US');
    CREATE TABLE events_eu PARTITION OF events FOR VALUES IN ('EU');
    CREATE TABLE bystanders (id int PRIMARY KEY);
    CREATE FUNCTION merges() RETURNS void LANGUAGE plpgsql AS $$ BEGIN ${MERGE}; END $$;
    CREATE FUNCTION merges_in_sql() RETURNS void LANGUAGE sql AS $$ ${MERGE} $$`,
  seed: `
    TRUNCATE events;
    INSERT INTO events VALUES (1, 'US', 10), (2, 'EU', 20), (3, 'US', 30)`,
  answers,
};

let scene: Scene<Answer>;

beforeAll(async () => {
  scene = await Scene.open(world);
});
afterAll(() => scene.close());
beforeEach(() => scene.prepare());

async function expectEnded(
  write: Write,
  { ends, keeps }: { ends: readonly Answer[]; keeps: readonly Answer[] },
): Promise<void> {
  const ended = await scene.endedBy(write);
  expect(ended).toEqual(expect.arrayContaining([...ends]));
  expect(ended.filter((name) => keeps.includes(name))).toEqual([]);
  await scene.expectTruth();
}

const US: readonly Answer[] = ['events', 'events US', 'partition US'];
const EU: readonly Answer[] = ['events', 'events EU', 'partition EU'];

describe('a row', () => {
  it.each<{ what: string; write: Write; ends: readonly Answer[]; keeps: readonly Answer[] }>([
    {
      what: 'inserted through the table ends its region',
      write: ({ source }) => source.manager.insert(Event, { id: 9, region: 'EU' }),
      ends: EU,
      keeps: ['events US', 'events APAC', 'event 1 US', 'bystanders'],
    },
    {
      what: 'updated through the table by another column ends its region',
      write: sql('UPDATE events SET guests = 11 WHERE guests = 10'),
      ends: [...US, 'event 1 US'],
      keeps: ['events EU', 'events APAC', 'bystanders'],
    },
    {
      what: 'that moves to another partition ends both regions',
      write: sql(`UPDATE events SET region = 'EU' WHERE id = 1`),
      ends: [...US, ...EU, 'event 1 US'],
      keeps: ['events APAC', 'bystanders'],
    },
    // PostgreSQL does not give the triggers the rows that a MERGE moves.
    {
      what: 'that is merged into another partition ends all of the table',
      write: sql(MERGE),
      ends: [...US, ...EU, 'event 1 US'],
      keeps: ['bystanders'],
    },
    {
      what: 'that is merged into another partition, beside one that stays',
      write: sql(MERGE.replace('(1)', '(1), (2)')),
      ends: [...US, ...EU, 'event 1 US'],
      keeps: ['bystanders'],
    },
    {
      what: 'that is merged by a function in plpgsql',
      write: sql('SELECT merges()'),
      ends: [...US, ...EU, 'event 1 US'],
      keeps: ['bystanders'],
    },
    {
      what: 'that is merged by a function in SQL',
      write: sql('SELECT merges_in_sql()'),
      ends: [...US, ...EU, 'event 1 US'],
      keeps: ['bystanders'],
    },
    {
      what: 'that is merged by a statement prepared in SQL',
      write: async ({ source }) => {
        const runner = source.createQueryRunner();
        try {
          for (const text of [
            `PREPARE merging AS ${MERGE}`,
            'EXECUTE merging',
            'DEALLOCATE merging',
          ])
            await runner.query(text);
        } finally {
          await runner.release();
        }
      },
      ends: [...US, ...EU, 'event 1 US'],
      keeps: ['bystanders'],
    },
    {
      what: 'updated in its partition ends the answers of the table too',
      write: sql('UPDATE events_us SET guests = 11 WHERE id = 1'),
      ends: [...US, 'event 1 US'],
      keeps: ['bystanders'],
    },
    {
      what: 'deleted in its partition ends the answers of the table too',
      write: sql('DELETE FROM events_eu WHERE guests = 20'),
      ends: EU,
      keeps: ['bystanders'],
    },
    {
      what: 'that is none leaves all',
      write: sql('DELETE FROM events_eu WHERE guests = 999'),
      ends: [],
      keeps: Object.keys(answers) as Answer[],
    },
    {
      what: 'truncated with its partition',
      write: sql('TRUNCATE events_eu'),
      ends: EU,
      keeps: ['bystanders'],
    },
  ])('$what', ({ write, ends, keeps }) => expectEnded(write, { ends, keeps }));
});

it('a row that another client merges into another partition is recorded', async () => {
  const recorded = (): Promise<unknown> =>
    scene.otherClient.query(
      `DELETE FROM tidemark_tidemark.outbox WHERE table_name = 'public.events' RETURNING regions`,
    );
  for (const text of [MERGE, MERGE.replace('EU', 'US'), 'SELECT merges()']) {
    await scene.otherClient.query(text);
    expect(await recorded()).toEqual([[{ regions: null }], 1]);
  }
  await scene.otherClient.query(`UPDATE events SET region = 'US' WHERE id = 1`);
  expect(await recorded()).toMatchObject([
    [{ regions: { region: expect.arrayContaining([['EU'], ['US']]) } }],
    1,
  ]);
});

describe('a partition', () => {
  afterEach(async () => {
    await scene.app.source.query('DROP TABLE IF EXISTS events_apac CASCADE');
    await scene.check();
  });

  const OF_APAC = `FOR VALUES IN ('APAC')`;
  const CREATE = `CREATE TABLE events_apac PARTITION OF events ${OF_APAC}`;
  const MADE =
    'CREATE TABLE events_apac (LIKE events); INSERT INTO events_apac VALUES (5, $$APAC$$, 1)';
  const ATTACH = `ALTER TABLE events ATTACH PARTITION events_apac ${OF_APAC}`;
  const DETACH = 'ALTER TABLE events DETACH PARTITION events_apac';
  const DIRECT = `INSERT INTO events_apac VALUES (7, 'APAC', 1)`;
  const THROUGH = `INSERT INTO events VALUES (8, 'APAC', 1)`;

  /** True after each statement; exact in the end, once the triggers are on the new partition. */
  async function throughout(...steps: readonly (() => Promise<unknown>)[]): Promise<void> {
    for (const step of steps) {
      await step();
      await scene.expectTruth();
    }
  }
  const own = (text: string) => () => scene.app.source.query(text);
  const strange = (text: string) => () => scene.otherClient.query(text);
  const ownInOne =
    (...texts: readonly string[]) =>
    () =>
      scene.app.source.transaction(async (manager) => {
        for (const text of texts) await manager.query(text);
      });

  it.each([
    { what: 'created by the service', steps: [own(CREATE), own(DIRECT), own(THROUGH)] },
    {
      what: 'created and filled in one transaction',
      steps: [ownInOne(CREATE, DIRECT, THROUGH), own('DELETE FROM events_apac WHERE id = 7')],
    },
    { what: 'attached by the service, with rows', steps: [own(MADE), own(ATTACH), own(DIRECT)] },
    {
      what: 'attached and detached in one transaction',
      steps: [own(MADE), ownInOne(ATTACH, DETACH), own(DIRECT)],
    },
    {
      what: 'detached by the service, and written on',
      steps: [own(CREATE), own(DIRECT), own(DETACH), own('DELETE FROM events_apac')],
    },
    {
      what: 'dropped by the service',
      steps: [own(CREATE), own(THROUGH), own('DROP TABLE events_apac')],
    },
  ])('$what, is followed', ({ steps }) => throughout(...steps));

  it('created by another client is followed before any instance has noticed', async () => {
    await scene.otherClient.query(CREATE);
    await throughout(own(DIRECT), own(THROUGH), own('UPDATE events_apac SET guests = 3'));
    await scene.check();
    await throughout(strange('SELECT 1'), own(DIRECT.replace('7', '70')));
  });

  it('attached by another client, with rows, is seen at the next check', async () => {
    await scene.otherClient.query(MADE);
    await scene.otherClient.query(ATTACH);
    await scene.check();
    await throughout(own(DIRECT), own(THROUGH), own(DETACH));
  });

  it('detached by another client is seen at the next check', async () => {
    await throughout(own(CREATE), own(DIRECT));
    await scene.otherClient.query(DETACH);
    await scene.check();
    await throughout(own('DELETE FROM events_apac'), own(`INSERT INTO events VALUES (9, 'EU')`));
  });

  it('has its triggers soon, and writes to the table are exact again', async () => {
    await scene.app.source.query(CREATE);
    await scene.check();
    const { source } = scene.app;
    const rows = await source.query<{ count: number }[]>(
      `SELECT count(*)::int AS count FROM pg_trigger
        WHERE tgrelid = 'events_apac'::regclass AND tgname LIKE 'tidemark%' AND tgenabled = 'A'`,
    );
    expect(rows).toEqual([{ count: 4 }]);
    await expectEnded(sql(THROUGH), {
      ends: ['events', 'events APAC'],
      keeps: ['events US', 'events EU', 'event 1 US', 'bystanders'],
    });
  });
});
