/** Who relays, and what becomes of it when he does not: real PostgreSQL and Redis, two instances. */
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import pg from 'pg';
import {
  CacheTriggers,
  OutboxRelay,
  WriteRefusedError,
} from '../../../src/cache-invalidation/index.js';
import { OutboxObjects } from '../../../src/cache-invalidation/outbox/outbox-objects.js';
import { FIRST_ID, OutboxSession } from '../../../src/cache-invalidation/outbox/outbox-session.js';
import { CacheHealth, defineQuery } from '../../../src/query-cache/index.js';
import { CachedApplication } from '../../support/cached-application.js';
import { eventually } from '../../support/eventually.js';
import { RedisServer } from '../../support/redis-server.js';
import { createDatabase } from '../../support/shared-postgres.js';
import { Bystander } from '../fixtures/entities.js';

const bystanders = defineQuery({
  name: 'bystanders',
  build: (source, _: Record<string, never>) =>
    source.getRepository(Bystander).createQueryBuilder('b').orderBy('b.id'),
  map: ({ id }: Bystander) => id,
}).bind({});

/** The session of the relay: it listens. */
const RELAY = `SELECT pid FROM pg_stat_activity WHERE datname = current_database()
  AND pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = 1953064050)`;

let redis: RedisServer;
let databaseUrl: string;
let client: pg.Client;
let applications: CachedApplication[];

beforeEach(async () => {
  redis = await RedisServer.start();
  databaseUrl = await createDatabase();
  client = new pg.Client({ connectionString: databaseUrl });
  client.on('error', () => undefined);
  await client.connect();
  await client.query('CREATE TABLE bystanders (id int PRIMARY KEY)');
  applications = [];
});

afterEach(async () => {
  for (const application of applications) await application.stop();
  await client.end();
  await redis.stop();
});

async function start(): Promise<CachedApplication> {
  const application = await startAs(databaseUrl);
  await new CacheTriggers(application.source, 'tidemark').install();
  return application;
}

/** A role that owns the table and the outbox and may end no session of another role. */
async function ownerWithoutRights(): Promise<string> {
  const role = `plain_${randomBytes(4).toString('hex')}`;
  await client.query(`CREATE ROLE ${role} LOGIN`);
  await client.query(`GRANT ALL ON SCHEMA tidemark_tidemark TO ${role}`);
  await client.query(`GRANT ALL ON ALL TABLES IN SCHEMA tidemark_tidemark, public TO ${role}`);
  const url = new URL(databaseUrl);
  url.username = role;
  return url.href;
}

async function startAs(url: string): Promise<CachedApplication> {
  const application = await CachedApplication.start({
    databaseUrl: url,
    entities: [Bystander],
    cache: { redis: { url: redis.url, timeoutMs: 1_000 } },
  });
  applications.push(application);
  return application;
}

/** What the installation has said is told: nothing is left that was not written since. */
async function emptied(): Promise<void> {
  await eventually(async () => {
    expect((await client.query('SELECT FROM tidemark_tidemark.outbox')).rows).toEqual([]);
  });
}

const relayOf = (application: CachedApplication): OutboxRelay => application.get(OutboxRelay);

async function expectState(
  application: CachedApplication,
  state: OutboxRelay['state'],
): Promise<void> {
  await eventually(() => expect(relayOf(application).state).toBe(state));
}

async function warm(application: CachedApplication): Promise<void> {
  await eventually(async () => {
    const { outcomes } = await application.observe(() => application.cache.run(bystanders));
    expect(outcomes).toEqual(['hit']);
  });
}

async function seenBy(application: CachedApplication, ids: readonly number[]): Promise<void> {
  await eventually(async () => expect(await application.cache.run(bystanders)).toEqual(ids));
}

describe('the relay', () => {
  it('is one of the instances, and another one when that ends', async () => {
    const both = [await start(), await start()];
    await eventually(() => {
      const states = both.map((application) => relayOf(application).state);
      expect(states.toSorted()).toEqual(['relaying', 'standby']);
    });
    const isRelaying = (application: CachedApplication): boolean =>
      relayOf(application).state === 'relaying';
    const [first] = both.filter(isRelaying);
    const [second] = both.filter((application) => !isRelaying(application));
    if (!first || !second) throw new Error('Both changed places.');
    await warm(second);
    await client.query('INSERT INTO bystanders VALUES (1)');
    await seenBy(second, [1]);
    await first.stop();
    applications = [second];
    await expectState(second, 'relaying');
    await client.query('INSERT INTO bystanders VALUES (2)');
    await seenBy(second, [1, 2]);
  });

  it('comes back when its session is ended, and misses nothing', async () => {
    const application = await start();
    await expectState(application, 'relaying');
    await warm(application);
    await client.query(`SELECT pg_terminate_backend(pid) FROM (${RELAY}) relay`);
    await client.query('INSERT INTO bystanders VALUES (3)');
    await seenBy(application, [3]);
    await expectState(application, 'relaying');
  });

  it('that has the lock and does nothing is dismissed', async () => {
    const idle = new pg.Client({ connectionString: databaseUrl });
    idle.on('error', () => undefined);
    await idle.connect();
    await idle.query(`SELECT pg_advisory_lock(1953064050, hashtext('tidemark_tidemark'))`);
    const application = await start();
    await expectState(application, 'standby');
    await warm(application);
    await client.query('INSERT INTO bystanders VALUES (4)');
    await seenBy(application, [4]);
    await expectState(application, 'relaying');
    await idle.end().catch(() => undefined);
  });

  it('that another role keeps from its lock relays without it, and says so', async () => {
    const before = await start();
    await emptied();
    await before.stop();
    applications = [];
    const held = new pg.Client({ connectionString: databaseUrl });
    await held.connect();
    await held.query(`SELECT pg_advisory_lock(1953064050, hashtext('tidemark_tidemark'))`);
    const log = jest.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
    try {
      const url = await ownerWithoutRights();
      const both = [await startAs(url), await startAs(url)];
      for (const application of both) await warm(application);
      const relayed: string[] = [];
      for (const [index, application] of both.entries()) {
        const { events } = application.cache;
        events.on(
          'relayed',
          ({ rows }) => void relayed.push(...Array<string>(rows).fill(`${index}`)),
        );
      }
      const ids = Array.from({ length: 100 }, (_, index) => index);
      for (const id of ids) await client.query('INSERT INTO bystanders VALUES ($1)', [id]);
      for (const application of both) await seenBy(application, ids);
      await emptied();
      // Each row by one of the two at least.
      expect(relayed.length).toBeGreaterThanOrEqual(ids.length);
      // The other may have found nothing left to do.
      const stuck = both.filter((application) => relayOf(application).isLockStuck);
      expect(stuck.length).toBeGreaterThan(0);
      for (const application of stuck) {
        expect(relayOf(application).state).toBe('standby');
        expect(application.get(CacheHealth).check()).toEqual({
          status: 'degraded',
          detail: expect.stringMatching(/seen late.*pg_terminate_backend/),
        });
      }
      const lines = log.mock.calls.map(([line]) => String(line));
      const without = lines.filter((line) => line.includes('relays without the lock'));
      expect(without).toHaveLength(stuck.length);
      expect(lines.join()).not.toContain(') was ended');
      await held.end();
      await eventually(() =>
        expect(both.map((each) => relayOf(each).isLockStuck)).toEqual([false, false]),
      );
      await client.query('INSERT INTO bystanders VALUES (100)');
      for (const application of both) await seenBy(application, [...ids, 100]);
    } finally {
      log.mockRestore();
    }
  });

  it('does not wait for a row that somebody else holds', async () => {
    const application = await start();
    await emptied();
    await application.stop();
    applications = [];
    await client.query(`INSERT INTO tidemark_tidemark.outbox (table_name) VALUES ('a'), ('b')`);
    await client.query('BEGIN');
    await client.query(`SELECT FROM tidemark_tidemark.outbox WHERE table_name = 'a' FOR UPDATE`);
    const options = { connectionString: databaseUrl };
    const session = await OutboxSession.open(options, new OutboxObjects('tidemark'));
    try {
      await session.remove(await session.ids());
      expect(await session.next(FIRST_ID, 10)).toMatchObject([{ table: 'a' }]);
    } finally {
      await session.close();
    }
    await client.query('ROLLBACK');
  });

  it('drains what has gathered while nobody was there', async () => {
    const application = await start();
    await warm(application);
    await application.stop();
    applications = [];
    await client.query(
      `INSERT INTO tidemark_tidemark.outbox (table_name, regions)
         SELECT 'public.bystanders', jsonb_build_object('id', jsonb_build_array(jsonb_build_array(n::text)))
           FROM generate_series(1, 20000) n`,
    );
    await client.query('INSERT INTO bystanders VALUES (5)');
    const again = await start();
    await seenBy(again, [5]);
    await eventually(async () => {
      const { rows } = await client.query('SELECT FROM tidemark_tidemark.outbox LIMIT 1');
      expect(rows).toEqual([]);
    });
  });
});

describe('after a long outage', () => {
  it('what every row says is told once', async () => {
    const application = await start();
    await expectState(application, 'relaying');
    await emptied();
    const relayed: number[] = [];
    application.cache.events.on('relayed', ({ rows }) => relayed.push(rows));
    await client.query(
      `INSERT INTO tidemark_tidemark.outbox (table_name)
         SELECT CASE WHEN n = 1 THEN '*' ELSE 'public.bystanders' END FROM generate_series(1, 12000) n`,
    );
    await emptied();
    expect(relayed).toEqual([12_000]);
  });
});

describe('a write of the service while Redis is away, without an outbox that its role may write', () => {
  /** The SQL of the line in the log that says what the role lacks. */
  async function whileLacking(url: string, work: (lacking: string[]) => Promise<void>) {
    const log = jest.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
    try {
      const application = await startAs(url);
      await expectState(application, 'absent');
      expect(application.get(CacheHealth).check()).toEqual({
        status: 'degraded',
        detail: expect.stringContaining('writes are refused'),
      });
      await redis.kill();
      const insert = 'INSERT INTO bystanders VALUES (8)';
      const { source } = application;
      await expect(source.query(insert)).rejects.toThrow(WriteRefusedError);
      const inTransaction = source.transaction((manager) => manager.query(insert));
      await expect(inTransaction).rejects.toThrow(WriteRefusedError);
      await expect(source.query(`DO $$ BEGIN ${insert}; END $$`)).rejects.toThrow(
        WriteRefusedError,
      );
      expect((await client.query('SELECT FROM bystanders')).rows).toEqual([]);
      const lines = log.mock.calls.map(([line]) => String(line));
      await work(lines.filter((line) => line.startsWith('There is no outbox')));
      // What the owner has run is enough.
      await eventually(() => expect(relayOf(application).problem).toBeUndefined());
      await source.query(insert);
      const { rows } = await client.query('SELECT table_name FROM tidemark_tidemark.outbox');
      expect(rows).toEqual([{ table_name: '*' }]);
    } finally {
      log.mockRestore();
    }
  }

  it('is refused until there is one', async () => {
    await whileLacking(databaseUrl, async (lacking) => {
      expect(lacking).toHaveLength(1);
      await client.query(lacking[0]?.split('run this:\n')[1] ?? '');
    });
  });

  it('is refused until the role has been granted it', async () => {
    const first = await start();
    await emptied();
    await first.stop();
    applications = [];
    const url = await ownerWithoutRights();
    const role = new URL(url).username;
    await client.query(`REVOKE INSERT ON tidemark_tidemark.outbox FROM ${role}`);
    await whileLacking(url, async (lacking) => {
      expect(lacking).toHaveLength(1);
      await client.query(lacking[0]?.split('run this:\n')[1] ?? '');
    });
  });

  it('is committed all the same where the versions are in this process alone', async () => {
    const application = await CachedApplication.start({ databaseUrl, entities: [Bystander] });
    applications.push(application);
    await application.source.query('INSERT INTO bystanders VALUES (8)');
    expect(application.get(CacheHealth).check()).toEqual({ status: 'up' });
  });
});

describe('a write of the service while Redis is away', () => {
  it('is committed with what the others have to be told, and told when Redis is back', async () => {
    const application = await start();
    await expectState(application, 'relaying');
    await emptied();
    await redis.kill();
    await application.source.query('INSERT INTO bystanders VALUES (6)');
    await application.source.transaction(async (manager) => {
      await manager.query('INSERT INTO bystanders VALUES (7)');
    });
    const { rows } = await client.query(
      'SELECT table_name, regions FROM tidemark_tidemark.outbox ORDER BY id',
    );
    // Nobody can say under which schema the statements were understood: anything may have changed.
    const everything = { table_name: '*', regions: null };
    expect(rows).toEqual([everything, everything]);
    await redis.restart();
    await eventually(async () => {
      expect((await client.query('SELECT FROM tidemark_tidemark.outbox')).rows).toEqual([]);
    });
    await seenBy(application, [6, 7]);
    await warm(application);
  });

  it('that commits by itself is recorded by the triggers, as if a stranger had sent it', async () => {
    const application = await start();
    await expectState(application, 'relaying');
    await emptied();
    await redis.kill();
    await application.source.query(`DO $$ BEGIN INSERT INTO bystanders VALUES (9); END $$`);
    const { rows } = await client.query('SELECT table_name FROM tidemark_tidemark.outbox');
    // Beforehand and afterwards: tables without triggers may have changed as well.
    expect(rows.map((row) => row.table_name)).toEqual(['*', 'public.bystanders', '*']);
  });

  it('that is rolled back leaves nothing in the outbox', async () => {
    const application = await start();
    await expectState(application, 'relaying');
    await emptied();
    await redis.kill();
    await application.source
      .transaction(async (manager) => {
        await manager.query('INSERT INTO bystanders VALUES (8)');
        throw new Error('no');
      })
      .catch(() => undefined);
    expect((await client.query('SELECT FROM tidemark_tidemark.outbox')).rows).toEqual([]);
  });
});
