/**
 * Single writes whose answers do not show every change, because of objects created past the service, or of code between
 * the server's answer and the service. The changes that the triggers report are published with the COMMIT.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import pg from 'pg';
import { Column, Entity, PrimaryColumn, type EntitySubscriberInterface } from 'typeorm';
import { CacheRegion, defineQuery, type BoundQuery } from '../../src/index.js';
import { endedOf, Outside } from './outside.js';

@Entity('shops')
@CacheRegion<Shop>('region')
class Shop {
  @PrimaryColumn({ type: 'integer' })
  id: number;

  @Column({ type: 'text' })
  region: string;

  @Column({ type: 'integer', nullable: true, unique: true })
  code: number | null;

  @Column({ type: 'integer', nullable: true })
  owner: number | null;
}

/** Has the dimensions that shops have. */
@Entity('depots')
@CacheRegion<Depot>('region')
class Depot {
  @PrimaryColumn({ type: 'integer' })
  id: number;

  @Column({ type: 'text' })
  region: string;

  @Column({ type: 'integer', unique: true })
  code: number;
}

const shopsIn = defineQuery({
  name: 'shops-in',
  shape: 'raw',
  build: (source, { region }: { region: string }) =>
    source.getRepository(Shop).createQueryBuilder('s').where('s.region = :region', { region }),
});
const depots = defineQuery({
  name: 'depots',
  shape: 'raw',
  build: (source, _: Record<string, never>) =>
    source.getRepository(Depot).createQueryBuilder('d').orderBy('d.id'),
});
const answers: Readonly<Record<string, BoundQuery>> = {
  US: shopsIn.bind({ region: 'US' }),
  ' US': shopsIn.bind({ region: ' US' }),
  EU: shopsIn.bind({ region: 'EU' }),
  APAC: shopsIn.bind({ region: 'APAC' }),
  depots: depots.bind({}),
};

const CHANGE = 'UPDATE shops SET code = $1 WHERE id = $2 RETURNING id, region';

let outside: Outside;

const change = (code: number, id: number): Promise<unknown> =>
  outside.app.source.query(CHANGE, [code, id]);

const open = Outside.opening({
  entities: [Shop, Depot],
  schema: `
    INSERT INTO shops VALUES (1, 'US', 101, NULL), (2, 'EU', 102, NULL), (3, 'APAC', 103, NULL), (4, ' US', 104, NULL);
    INSERT INTO depots VALUES (21, 'US', 101)`,
});

beforeEach(async () => {
  outside = await open();
  await made('');
});

afterEach(() => outside.close());

/** Makes a change past the service, unseen by it; then all answers are stored. */
async function made(sql: string): Promise<void> {
  await outside.client.query(sql);
  await outside.emptied();
  await outside.warm(Object.values(answers));
}

describe('created past the service', () => {
  it.each([
    {
      what: 'a trigger that moves the row',
      sql: `
        CREATE FUNCTION moves() RETURNS trigger LANGUAGE plpgsql
          AS $$ BEGIN NEW.region := 'EU'; RETURN NEW; END $$;
        CREATE TRIGGER moves BEFORE UPDATE ON shops FOR EACH ROW EXECUTE FUNCTION moves()`,
      ended: ['US', 'EU'],
    },
    {
      what: 'a check that changes another row',
      sql: `
        CREATE FUNCTION meddles(integer) RETURNS boolean LANGUAGE plpgsql AS $$
          BEGIN IF $1 = 7 THEN UPDATE public.shops SET owner = 9 WHERE id = 2; END IF; RETURN true; END $$;
        ALTER TABLE shops ADD CHECK (meddles(code))`,
      ended: ['US', 'EU'],
    },
    {
      what: 'a check that fetches from a cursor that changes another row',
      sql: `
        CREATE FUNCTION opens() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE c refcursor := 'c'; BEGIN
          IF NEW.id = 1 THEN OPEN c FOR UPDATE public.shops SET owner = 9 WHERE id = 2 RETURNING id; END IF;
          RETURN NEW; END $$;
        CREATE TRIGGER opens BEFORE UPDATE ON shops FOR EACH ROW EXECUTE FUNCTION opens();
        ALTER TABLE shops ADD CHECK (id <> 1 OR code <> 7 OR cursor_to_xml('c', 10, true, false, '') IS NOT NULL)`,
      ended: ['US', 'EU'],
    },
    {
      what: 'a foreign key of the table to itself',
      sql: `
        UPDATE shops SET owner = 101 WHERE id = 2;
        ALTER TABLE shops ADD FOREIGN KEY (owner) REFERENCES shops (code) ON UPDATE CASCADE`,
      ended: ['US', 'EU'],
    },
    {
      what: 'such a foreign key, and a trigger that reads the changed rows before it acts',
      sql: `
        UPDATE shops SET owner = 101 WHERE id = 2;
        CREATE FUNCTION looks() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
        CREATE TRIGGER "A" AFTER UPDATE ON shops REFERENCING NEW TABLE AS n
          FOR EACH ROW EXECUTE FUNCTION looks();
        ALTER TABLE shops ADD FOREIGN KEY (owner) REFERENCES shops (code) ON UPDATE CASCADE`,
      ended: ['US', 'EU'],
    },
    {
      what: 'two foreign keys that lead back to the table',
      sql: `
        UPDATE shops SET owner = 101 WHERE id = 2;
        ALTER TABLE depots ADD FOREIGN KEY (code) REFERENCES shops (code) ON UPDATE CASCADE;
        ALTER TABLE shops ADD FOREIGN KEY (owner) REFERENCES depots (code) ON UPDATE CASCADE`,
      ended: ['US', 'EU', 'depots'],
    },
    {
      what: 'a rule that changes another table',
      sql: `
        CREATE RULE also AS ON UPDATE TO shops DO ALSO UPDATE depots SET code = 105 WHERE id = 21`,
      ended: ['US', 'depots'],
    },
    {
      what: 'a rule that changes another table, and a foreign key that leads back',
      sql: `
        UPDATE shops SET owner = 101 WHERE id = 2;
        ALTER TABLE shops ADD FOREIGN KEY (owner) REFERENCES depots (code) ON UPDATE CASCADE;
        CREATE RULE also AS ON UPDATE TO shops DO ALSO UPDATE depots SET code = 105 WHERE id = 21`,
      ended: ['US', 'EU', 'depots'],
    },
  ])('$what', async ({ sql, ended }) => {
    await made(sql);
    await change(7, 1);
    expect(await endedOf(answers, outside)).toEqual(ended);
  });
});

describe('between the answer and the service', () => {
  it('a parser of values', async () => {
    const { TEXT } = pg.types.builtins;
    const usual = pg.types.getTypeParser(TEXT);
    pg.types.setTypeParser(TEXT, (value: string) => value.trim());
    try {
      await change(7, 4);
    } finally {
      pg.types.setTypeParser(TEXT, usual);
    }
    expect(await outside.app.cache.run(answers[' US'] as BoundQuery)).toEqual([
      { s_id: 4, s_region: ' US', s_code: 7, s_owner: null },
    ]);
  });

  it('a subscriber that changes the answer', async () => {
    const masking: EntitySubscriberInterface = {
      afterQuery: ({ query, rawResults }) => {
        if (query !== CHANGE) return;
        for (const row of (rawResults as { rows: { region: string }[] }).rows) row.region = '*';
      },
    };
    outside.app.source.subscribers.push(masking);
    await change(7, 1);
    expect(await endedOf(answers, outside)).toEqual(['US']);
  });
});
