/** Another client changes the triggers or the outbox and writes meanwhile: everything counts as written. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import pg from 'pg';
import { defineQuery, CacheTriggers, OutboxRelay } from '../../src/index.js';
import { VersionStore } from '../../src/core/ports/version-store.js';
import { CachedApplication } from '../support/cached-application.js';
import { eventually } from '../../../../test/support/eventually.js';
import { RedisServer } from '../../../../test/support/redis-server.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { Bystander } from '../fixtures/entities.js';
import { Event } from '../matrix/fixtures/places.entities.js';
import { Outside } from './outside.js';

const bystanders = defineQuery({
  name: 'bystanders',
  shape: 'raw',
  build: (source, _: Record<string, never>) =>
    source.getRepository(Bystander).createQueryBuilder('b').select('b.id', 'id').orderBy('b.id'),
}).bind({});
const guests = defineQuery({
  name: 'guests',
  shape: 'raw',
  build: (source, _: Record<string, never>) =>
    source.getRepository(Event).createQueryBuilder('e').select('e.id', 'id').orderBy('e.id'),
}).bind({});

const WRITE = 'INSERT INTO bystanders VALUES (1)';
const DISABLED = ['ALTER TABLE bystanders DISABLE TRIGGER ALL', WRITE];
const ENABLED = 'ALTER TABLE bystanders ENABLE TRIGGER ALL';
const OUTBOX = 'tidemark_tidemark.outbox';

describe('writes without a record in the outbox', () => {
  const open = Outside.opening({ entities: [Bystander] });
  let outside: Outside;

  beforeEach(async () => {
    outside = await open();
    await outside.emptied();
    await outside.warm([bystanders]);
  });
  afterEach(() => outside.close());

  it.each([
    { how: 'while the triggers were disabled', statements: [...DISABLED, ENABLED] },
    { how: 'while they are disabled', statements: DISABLED },
    {
      how: 'in the transaction that has disabled them, and enabled them as before',
      statements: [
        'BEGIN',
        ...DISABLED,
        ENABLED,
        ...['insert', 'update', 'delete', 'truncate'].map(
          (event) => `ALTER TABLE bystanders ENABLE ALWAYS TRIGGER tidemark_tidemark_${event}`,
        ),
        'COMMIT',
      ],
    },
    {
      how: 'to a table that has taken the place of another',
      statements: [
        'BEGIN',
        'ALTER TABLE bystanders RENAME TO bystanders_before',
        'CREATE TABLE bystanders (id int PRIMARY KEY)',
        WRITE,
        'COMMIT',
      ],
    },
    {
      how: 'since the outbox was emptied',
      statements: ['BEGIN', WRITE, `TRUNCATE ${OUTBOX}`, 'COMMIT'],
    },
    {
      how: 'since the outbox was dropped with all that fills it',
      statements: ['BEGIN', WRITE, 'DROP SCHEMA tidemark_tidemark CASCADE', 'COMMIT'],
    },
  ])('$how', async ({ statements }) => {
    for (const sql of statements) await outside.client.query(sql);
    await eventually(async () =>
      expect(await outside.app.cache.run(bystanders)).toEqual([{ id: 1 }]),
    );
  });
});

it('rows that are attached and detached with a partition are seen', async () => {
  const outside = await Outside.open({
    entities: [Event],
    schema: `
      CREATE TABLE events (id int, region varchar(10), guests int, PRIMARY KEY (id, region))
        PARTITION BY LIST (region);
      CREATE TABLE events_us PARTITION OF events FOR VALUES IN ('US');
      CREATE TABLE events_eu (LIKE events);
      INSERT INTO events_eu VALUES (2, 'EU', 3)`,
  });
  try {
    await outside.emptied();
    await outside.warm([guests]);
    await outside.client.query(
      `ALTER TABLE events ATTACH PARTITION events_eu FOR VALUES IN ('EU')`,
    );
    await eventually(async () => expect(await outside.app.cache.run(guests)).toEqual([{ id: 2 }]));
    await outside.warm([guests]);
    await outside.client.query('ALTER TABLE events DETACH PARTITION events_eu');
    await eventually(async () => expect(await outside.app.cache.run(guests)).toEqual([]));
  } finally {
    await outside.close();
  }
});

it('a change while no relay ran is seen by the next relay, and counts once', async () => {
  const redis = await RedisServer.start();
  const databaseUrl = await createDatabase();
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const applications: CachedApplication[] = [];
  try {
    await client.query('CREATE TABLE bystanders (id int PRIMARY KEY)');
    let changes = 0;
    const start = async (): Promise<CachedApplication> => {
      const application = await CachedApplication.start({
        databaseUrl,
        entities: [Bystander],
        cache: { redis: { url: redis.url } },
      });
      applications.push(application);
      application.cache.events.on('recordingChanged', () => (changes += 1));
      return application;
    };
    const stateOf = (application: CachedApplication): string => application.get(OutboxRelay).state;
    const first = await start();
    await new CacheTriggers(first.source, 'tidemark').install();
    await eventually(() => expect(stateOf(first)).toBe('relaying'));
    await eventually(() => expect(changes).toBe(1));
    const second = await start();
    await eventually(() => expect(stateOf(second)).toBe('standby'));
    await eventually(async () => {
      expect((await client.query(`SELECT FROM ${OUTBOX}`)).rows).toEqual([]);
      const { outcomes } = await second.observe(() => second.cache.run(bystanders));
      expect(outcomes).toEqual(['hit']);
    });
    // Waits for the lock, and is the first to get it.
    const held = client.query(`SELECT pg_advisory_lock(1953064050, hashtext('tidemark_tidemark'))`);
    await first.stop();
    applications.shift();
    await held;
    for (const sql of [...DISABLED, ENABLED]) await client.query(sql);
    expect(await second.cache.run(bystanders)).toEqual([]);
    await client.query('SELECT pg_advisory_unlock_all()');
    await eventually(async () => expect(await second.cache.run(bystanders)).toEqual([{ id: 1 }]));
    const third = await start();
    await second.stop();
    applications.shift();
    await eventually(() => expect(stateOf(third)).toBe('relaying'));
    expect(changes).toBe(2);
  } finally {
    for (const application of applications) await application.stop();
    await client.end();
    await redis.stop();
  }
});

it('triggers that the application itself installs count as no change', async () => {
  const app = await CachedApplication.start({
    databaseUrl: await createDatabase(),
    entities: [Bystander],
    invalidation: { triggers: 'install' },
  });
  try {
    let changes = 0;
    app.cache.events.on('recordingChanged', () => (changes += 1));
    const seen = async (): Promise<string> => {
      const [reading] = await app.get(VersionStore).read([{ table: '#recording', names: [] }]);
      return reading?.epoch ?? '';
    };
    await app.source.query('CREATE TABLE bystanders (id int PRIMARY KEY)');
    await eventually(async () => expect(await seen()).toMatch(/recording-(?!nothing)/));
    expect(changes).toBe(0);
  } finally {
    await app.stop();
  }
});
