/** Writes of the service while Redis is away: real PostgreSQL and Redis. */
import { describe, expect, it, vi } from 'vitest';
import { Logger } from '@nestjs/common';
import { WriteRefusedError, CacheHealth } from '../../src/index.js';
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

useRelays();

describe('a write of the service while Redis is away, without an outbox that its role may write', () => {
  /** The SQL of the line in the log that says what the role lacks. */
  async function whileLacking(url: string, work: (lacking: string[]) => Promise<void>) {
    const log = vi.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
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
      // The statements that the owner has run are enough.
      await eventually(() => expect(relayOf(application).problem).toBeUndefined());
      await source.query(insert);
      const { rows } = await client.query('SELECT table_name FROM tidemark_tidemark.outbox');
      expect(rows).toEqual([{ table_name: '*' }]);
    } finally {
      log.mockRestore();
    }
  }

  it('is refused until the outbox exists', async () => {
    await whileLacking(databaseUrl, async (lacking) => {
      expect(lacking).toHaveLength(1);
      await client.query(lacking[0]?.split('run this:\n')[1] ?? '');
    });
  });

  it('is refused until the role has the right to write it', async () => {
    const first = await start();
    await emptied();
    await first.stop();
    applications.length = 0;
    const url = await ownerWithoutRights();
    const role = new URL(url).username;
    await client.query(`REVOKE INSERT ON tidemark_tidemark.outbox FROM ${role}`);
    await whileLacking(url, async (lacking) => {
      expect(lacking).toHaveLength(1);
      await client.query(lacking[0]?.split('run this:\n')[1] ?? '');
    });
  });

  it('is still committed where the versions are in this process alone', async () => {
    const application = await CachedApplication.start({ databaseUrl, entities: [Bystander] });
    applications.push(application);
    await application.source.query('INSERT INTO bystanders VALUES (8)');
    expect(application.get(CacheHealth).check()).toEqual({ status: 'up' });
  });
});

describe('a write of the service while Redis is away', () => {
  it('is committed with its outbox row, and published when Redis is back', async () => {
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
    // The schema under which the statements were classified is unknown: any table may have changed.
    const everything = { table_name: '*', regions: null };
    expect(rows).toEqual([everything, everything]);
    await redis.restart();
    await eventually(async () => {
      expect((await client.query('SELECT FROM tidemark_tidemark.outbox')).rows).toEqual([]);
    });
    await seenBy(application, [6, 7]);
    await warm(application);
  });

  it("that commits by itself is recorded by the triggers, like another client's", async () => {
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
