/** Which instance relays, and the effects of its absence: real PostgreSQL and Redis, two instances. */
import { describe, expect, it, vi } from 'vitest';
import { Logger } from '@nestjs/common';
import pg from 'pg';
import { OutboxObjects } from '../../src/postgres/capture/outbox-objects.js';
import { FIRST_ID, OutboxSession } from '../../src/postgres/capture/outbox-session.js';
import { CacheHealth } from '../../src/index.js';
import { CachedApplication } from '../support/cached-application.js';
import { eventually } from '../../../../test/support/eventually.js';
import { Bystander } from '../fixtures/entities.js';
import {
  applications,
  client,
  databaseUrl,
  emptied,
  expectState,
  ownerWithoutRights,
  redis,
  relayOf,
  seenBy,
  start,
  startAs,
  useRelays,
  warm,
} from './relaying-applications.js';

/** The session of the relay: it listens. */
const RELAY = `SELECT pid FROM pg_stat_activity WHERE datname = current_database()
  AND pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = 1953064050)`;

/** Taken by the session of a relay. */
const LOCK = `SELECT pg_advisory_lock(1953064050, hashtext('tidemark_tidemark'))`;

useRelays();

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
    applications.splice(0, applications.length, second);
    await expectState(second, 'relaying');
    await client.query('INSERT INTO bystanders VALUES (2)');
    await seenBy(second, [1, 2]);
  });

  it('reconnects when its session is ended, and misses nothing', async () => {
    const application = await start();
    await expectState(application, 'relaying');
    await warm(application);
    await client.query(`SELECT pg_terminate_backend(pid) FROM (${RELAY}) relay`);
    await client.query('INSERT INTO bystanders VALUES (3)');
    await seenBy(application, [3]);
    await expectState(application, 'relaying');
  });

  it('that cannot reach Redis releases the lock, even with nothing to relay', async () => {
    const application = await start();
    await expectState(application, 'relaying');
    await emptied();
    await warm(application);
    await redis.kill();
    await client.query(`SELECT pg_terminate_backend(pid) FROM (${RELAY}) relay`);
    await expectState(application, 'away');
    const states = new Set<string>();
    const attempts = vi.spyOn(OutboxSession, 'open');
    await eventually(() => {
      states.add(relayOf(application).state);
      expect(attempts.mock.calls.length).toBeGreaterThan(3);
    });
    attempts.mockRestore();
    expect(states).not.toContain('relaying');
    await redis.restart({ keepPort: true });
    await expectState(application, 'relaying');
  });

  it('that holds the lock and does nothing hides no row', async () => {
    const idle = new pg.Client({ connectionString: databaseUrl });
    idle.on('error', () => undefined);
    await idle.connect();
    await idle.query(LOCK);
    const application = await start();
    await expectState(application, 'standby');
    await warm(application);
    await client.query('INSERT INTO bystanders VALUES (4)');
    await seenBy(application, [4]);
    // The start of the application may have ended the answers before the relay did.
    await eventually(() => expect(relayOf(application).isLockStuck).toBe(true));
    await idle.end();
    await expectState(application, 'relaying');
    expect(relayOf(application).isLockStuck).toBe(false);
  });

  it('that cannot get its lock because of another role relays without it, and reports that', async () => {
    const before = await start();
    await emptied();
    await before.stop();
    applications.length = 0;
    const held = new pg.Client({ connectionString: databaseUrl });
    await held.connect();
    await held.query(LOCK);
    const log = vi.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
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

  it('notices disabled triggers while an idle session holds its lock', async () => {
    await (await start()).stop();
    applications.length = 0;
    const held = new pg.Client({ connectionString: databaseUrl });
    await held.connect();
    await held.query(LOCK);
    const application = await startAs(databaseUrl);
    await expectState(application, 'standby');
    await warm(application);
    await client.query('ALTER TABLE bystanders DISABLE TRIGGER ALL');
    await client.query('INSERT INTO bystanders VALUES (1)');
    await client.query('ALTER TABLE bystanders ENABLE TRIGGER ALL');
    await seenBy(application, [1]);
    expect(relayOf(application).state).toBe('standby');
    await held.end();
  });

  it('reports that it sees no outside writes where its role may not use the outbox', async () => {
    await (await start()).stop();
    applications.length = 0;
    const url = await ownerWithoutRights();
    await client.query(`REVOKE DELETE ON tidemark_tidemark.outbox FROM ${new URL(url).username}`);
    const log = vi.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
    const application = await CachedApplication.start({ databaseUrl: url, entities: [Bystander] });
    applications.push(application);
    await expectState(application, 'absent');
    expect(application.get(CacheHealth).check()).toEqual({
      status: 'degraded',
      detail: expect.stringContaining('writes from outside the service are not seen'),
    });
    expect(log.mock.calls.join()).toContain('GRANT');
    log.mockRestore();
  });

  it('does not count as stuck because of a row that another session locks', async () => {
    const both = [await start(), await start()];
    await emptied();
    const log = vi.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
    await client.query('BEGIN');
    await client.query(`INSERT INTO tidemark_tidemark.outbox (table_name) VALUES ('a')`);
    await client.query('COMMIT; BEGIN');
    await client.query('SELECT FROM tidemark_tidemark.outbox FOR UPDATE');
    // More often than it takes for a lock to count as stuck.
    const looks = vi.spyOn(OutboxSession.prototype, 'oldestId');
    await eventually(() => expect(looks.mock.calls.length).toBeGreaterThan(6));
    looks.mockRestore();
    expect(log.mock.calls.join()).not.toContain('seen late');
    expect(both.some((application) => relayOf(application).isLockStuck)).toBe(false);
    await client.query('ROLLBACK');
    log.mockRestore();
  });

  it('that stops sending loses its session, and with it the lock', async () => {
    const session = await OutboxSession.open(
      { connectionString: databaseUrl },
      new OutboxObjects('tidemark'),
    );
    try {
      expect(await session.tryLock()).toBe(true);
      await eventually(async () => {
        expect((await client.query(RELAY)).rows).toEqual([]);
      });
      await expect(session.notified(0)).rejects.toBeInstanceOf(Error);
    } finally {
      await session.close();
    }
  });

  it('does not wait for a row that another session locks', async () => {
    const application = await start();
    await emptied();
    await application.stop();
    applications.length = 0;
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

  it('drains the rows that accumulated while no relay ran', async () => {
    const application = await start();
    await warm(application);
    await application.stop();
    applications.length = 0;
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
  it('every distinct change is published once', async () => {
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
