/**
 * Real: PostgreSQL. Roles that may write rows that they may not read. Nothing is read ahead of their writes, so these
 * succeed; triggers report the rows, or the table counts as a whole.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { randomBytes } from 'node:crypto';
import { Column, Entity, PrimaryColumn, type EntityManager } from 'typeorm';
import { CacheTriggers, CacheRegion, defineQuery } from '../../src/index.js';
import { CachedApplication } from '../support/cached-application.js';
import { eventually } from '../../../../test/support/eventually.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';

@Entity('shops')
@CacheRegion<Shop>('region')
class Shop {
  @PrimaryColumn({ type: 'integer' })
  id: number;

  @Column({ type: 'text' })
  region: string;

  @Column({ type: 'integer', default: 0 })
  code: number;
}

const inRegion = defineQuery({
  name: 'shops-in',
  build: (source, { region }: { region: string }) =>
    source.getRepository(Shop).createQueryBuilder('s').where('s.region = :region', { region }),
  map: ({ id, code }) => ({ id, code }),
});
const REGIONS = ['US', 'EU', 'APAC'] as const;

const suffix = randomBytes(4).toString('hex');
const roles = {
  policies: `tidemark_policies_${suffix}`,
  deletes: `tidemark_deletes_${suffix}`,
  columns: `tidemark_columns_${suffix}`,
};

let databaseUrl: string;
let app: CachedApplication;

beforeAll(async () => {
  databaseUrl = await createDatabase();
  app = await CachedApplication.start({ databaseUrl, entities: [Shop], synchronize: true });
  for (const role of Object.values(roles)) {
    await app.source.query(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`);
  }
  await app.source.query(`
    ALTER TABLE shops ENABLE ROW LEVEL SECURITY;
    CREATE POLICY a ON shops FOR SELECT TO ${roles.policies} USING (true);
    CREATE POLICY b ON shops FOR UPDATE TO ${roles.policies} USING (id = 2);
    CREATE POLICY c ON shops FOR DELETE TO ${roles.policies} USING (id = 1);
    CREATE POLICY d ON shops TO ${roles.deletes}, ${roles.columns} USING (true);
    GRANT SELECT, UPDATE, DELETE ON shops TO ${roles.policies};
    GRANT SELECT, DELETE ON shops TO ${roles.deletes};
    GRANT SELECT (id), UPDATE (code) ON shops TO ${roles.columns}`);
});

afterAll(async () => {
  for (const role of Object.values(roles)) {
    await app.source.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  }
  await app.stop();
});

beforeEach(async () => {
  await app.source.query(`
    DELETE FROM shops;
    INSERT INTO shops VALUES (1, 'US'), (2, 'EU'), (3, 'APAC')`);
});

const as = (role: string, work: (manager: EntityManager) => Promise<unknown>): Promise<unknown> =>
  app.source.transaction(async (manager) => {
    await manager.query(`SET LOCAL ROLE ${role}`);
    await work(manager);
  });

/** The regions whose answers the work ended; each answer is what the database says. */
async function endedBy(work: () => Promise<unknown>): Promise<string[]> {
  const ask = (region: string) =>
    app.observe(() => app.cache.run(inRegion.bind({ region })) as Promise<unknown>);
  for (const region of REGIONS) {
    await eventually(async () => expect((await ask(region)).outcomes).toEqual(['hit']));
  }
  await work();
  const ended: string[] = [];
  for (const region of REGIONS) {
    const { value, outcomes } = await ask(region);
    if (outcomes[0] !== 'hit') ended.push(region);
    const rows = await app.source.query(
      'SELECT id, code FROM shops WHERE region = $1 ORDER BY id',
      [region],
    );
    expect(value).toEqual(rows);
  }
  return ended;
}

describe.each([
  { tables: 'without triggers', ended: [...REGIONS] },
  { tables: 'with triggers', ended: ['US'] },
])('a table $tables', ({ tables, ended }) => {
  beforeAll(async () => {
    if (tables !== 'with triggers') return;
    // The relay takes the installation for one of another client, and ends all answers once.
    const seen = new Promise<void>((resolve) => app.cache.events.once('recordingChanged', resolve));
    await new CacheTriggers(app.source, 'tidemark').install({ isWatched: true });
    await seen;
  });

  it.each<[string, () => Promise<unknown>]>([
    [
      'policies that differ for SELECT, UPDATE and DELETE',
      () => as(roles.policies, (manager) => manager.delete(Shop, [1, 2])),
    ],
    [
      'a role that may delete and not update',
      () => as(roles.deletes, (manager) => manager.delete(Shop, [1])),
    ],
    [
      'a role that may read and update some columns alone',
      () => as(roles.columns, (manager) => manager.update(Shop, 1, { code: 7 })),
    ],
  ])('ends the answers that the write changed: %s', async (_who, work) => {
    expect(await endedBy(work)).toEqual(ended);
  });
});

it('lets an application delete when its role may not update', async () => {
  const url = new URL(databaseUrl);
  url.username = roles.deletes;
  url.password = 'secret';
  const other = await CachedApplication.start({ databaseUrl: url.href, entities: [Shop] });
  try {
    const { affected } = await other.source.getRepository(Shop).delete([1, 2]);
    expect(affected).toBe(2);
    expect(await app.source.query('SELECT id FROM shops')).toEqual([{ id: 3 }]);
  } finally {
    await other.stop();
  }
});
