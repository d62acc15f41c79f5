/** An adopter's application puts the triggers on its tables by itself. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import pg from 'pg';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { OutboxRelay, CacheHealth } from '../../src/index.js';
import { eventually } from '../../../../test/support/eventually.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { Part, StartedApplication, type StartOptions } from './started-application.js';

@Entity({ schema: 'depot', name: 'shelves' })
class Shelf {
  @PrimaryColumn({ type: 'integer' })
  id: number;

  @Column({ type: 'text' })
  name: string;
}

let databaseUrl: string;
let client: pg.Client;
let application: StartedApplication | undefined;

beforeEach(async () => {
  databaseUrl = await createDatabase();
  client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
});

afterEach(async () => {
  await application?.stop();
  application = undefined;
  await client.end();
});

const PARTS = `CREATE TABLE parts (id int PRIMARY KEY, name text NOT NULL);
  INSERT INTO parts VALUES (1, 'bolt')`;
const RENAME = `UPDATE parts SET name = 'nut'`;

async function start(options: Partial<StartOptions> = {}): Promise<StartedApplication> {
  application = await StartedApplication.start({ databaseUrl, ...options });
  return application;
}

async function tablesWithTriggers(): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT DISTINCT tgrelid::regclass::text AS name FROM pg_trigger
      WHERE tgname LIKE 'tidemark\\_%' AND tgenabled = 'A' ORDER BY 1`,
  );
  return rows.map(({ name }) => name);
}

const health = () => application?.get(CacheHealth).check();

describe('the triggers of an application', () => {
  it('are installed at start, so that a write of psql ends its answers', async () => {
    await client.query(PARTS);
    const one = await start();
    expect(await one.warm()).toEqual(['bolt']);
    await client.query(RENAME);
    await eventually(async () => expect((await one.read()).value).toEqual(['nut']));
    expect(await one.warm()).toEqual(['nut']);
    expect(health()).toEqual({ status: 'up' });
  });

  it('are installed in every schema and on partitions, and later on tables created later', async () => {
    await client.query(`CREATE SCHEMA depot;
      CREATE TABLE depot.shelves (id int PRIMARY KEY, name text) PARTITION BY RANGE (id);
      CREATE TABLE depot.shelves_low PARTITION OF depot.shelves FOR VALUES FROM (0) TO (9)`);
    const one = await start({ source: { entities: [Part, Shelf] } });
    expect(await tablesWithTriggers()).toEqual(['depot.shelves', 'depot.shelves_low']);
    await one.source.query(PARTS);
    await eventually(async () => expect(await tablesWithTriggers()).toContain('parts'));
    expect(await one.warm()).toEqual(['bolt']);
    await client.query(RENAME);
    await eventually(async () => expect((await one.read()).value).toEqual(['nut']));
  });

  it('are installed by instances that start at once', async () => {
    await client.query(PARTS);
    const all = await Promise.all([1, 2, 3].map(() => StartedApplication.start({ databaseUrl })));
    try {
      await eventually(() => {
        for (const one of all) expect(one.get(CacheHealth).check()).toEqual({ status: 'up' });
      });
      expect(await tablesWithTriggers()).toEqual(['parts']);
    } finally {
      for (const one of all) await one.stop();
    }
  });

  it('take no lock where they exist', async () => {
    await client.query(PARTS);
    await (await start()).stop();
    await client.query('BEGIN; LOCK TABLE parts');
    await start();
    // The transaction that holds the lock may write: the answers wait for its end, the triggers do not.
    expect(JSON.stringify(health())).not.toContain('trigger');
    await client.query('ROLLBACK');
    await eventually(() => expect(health()).toEqual({ status: 'up' }));
  });

  it('delay neither the start nor other writers while a table is in use', async () => {
    await client.query(PARTS);
    await client.query(`BEGIN; ${RENAME}`);
    await start();
    expect(health()).toMatchObject({
      status: 'degraded',
      detail: expect.stringContaining('public.parts'),
    });
    await client.query('COMMIT');
    await eventually(() => expect(health()).toEqual({ status: 'up' }));
    expect(await tablesWithTriggers()).toEqual(['parts']);
  });

  it('that its role may not install are requested in the log, with the SQL for the owner', async () => {
    await client.query(PARTS);
    const role = `reader_${process.pid}_${Date.now()}`;
    await client.query(`CREATE ROLE ${role} LOGIN; GRANT SELECT, UPDATE ON parts TO ${role}`);
    try {
      const url = new URL(databaseUrl);
      url.username = role;
      const one = await start({ databaseUrl: url.href });
      expect(health()).toMatchObject({ status: 'degraded' });
      const [warning, ...more] = one.warnings.filter((line) => line.includes('public.parts'));
      expect(more).toEqual([]);
      expect(await one.warm()).toEqual(['bolt']);
      const sql = warning?.split('run this:\n')[1] ?? '';
      await client.query(sql);
      await one.stop();
      const next = await start({ databaseUrl: url.href });
      expect(health()).toEqual({ status: 'up' });
      await next.warm();
      await client.query(RENAME);
      await eventually(async () => expect((await next.read()).value).toEqual(['nut']));
    } finally {
      await application?.stop();
      application = undefined;
      await client.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
  });

  it('are only checked under `check`', async () => {
    await client.query(PARTS);
    const { warnings } = await start({ invalidation: { triggers: 'check' } });
    expect(await tablesWithTriggers()).toEqual([]);
    expect(warnings.filter((line) => /CREATE OR REPLACE TRIGGER/.test(line))).toHaveLength(1);
    expect(health()).toMatchObject({ status: 'degraded' });
  });

  it('are repaired after another client has disabled and enabled them, and its writes meanwhile are seen', async () => {
    await client.query(PARTS);
    const one = await start();
    await one.warm();
    await eventually(() => expect(one.get(OutboxRelay).state).toBe('relaying'));
    await client.query('ALTER TABLE parts DISABLE TRIGGER ALL');
    await client.query(RENAME);
    await client.query('ALTER TABLE parts ENABLE TRIGGER ALL');
    await eventually(async () => expect((await one.read()).value).toEqual(['nut']));
    await eventually(async () => expect(await tablesWithTriggers()).toEqual(['parts']));
    expect(health()).toEqual({ status: 'up' });
    // As a restore does.
    await one.warm();
    await client.query(`SET session_replication_role = replica; UPDATE parts SET name = 'screw'`);
    await eventually(async () => expect((await one.read()).value).toEqual(['screw']));
  });

  it('that another client has disabled are named under `check`, with the SQL', async () => {
    await client.query(PARTS);
    await (await start()).stop();
    const one = await start({ invalidation: { triggers: 'check' } });
    expect(health()).toEqual({ status: 'up' });
    await one.warm();
    await eventually(() => expect(one.get(OutboxRelay).state).toBe('relaying'));
    await client.query('ALTER TABLE parts DISABLE TRIGGER ALL');
    await client.query('ALTER TABLE parts ENABLE TRIGGER ALL');
    await eventually(() =>
      expect(health()).toMatchObject({
        status: 'degraded',
        detail: expect.stringContaining('public.parts'),
      }),
    );
    const { detail } = health() as { detail: string };
    await client.query(/ALTER TABLE [^;]+/.exec(detail)?.[0] ?? '');
    await eventually(() => expect(health()).toEqual({ status: 'up' }));
  });

  it('create their outbox before there are tables', async () => {
    await start();
    const { rows } = await client.query(`SELECT to_regclass('tidemark_tidemark.outbox') AS outbox`);
    expect(rows).toEqual([{ outbox: 'tidemark_tidemark.outbox' }]);
  });

  it('are not checked under `off`', async () => {
    await client.query(PARTS);
    const { warnings } = await start({ invalidation: { triggers: 'off' } });
    expect(await tablesWithTriggers()).toEqual([]);
    expect(warnings).toEqual([]);
    expect(health()).toEqual({ status: 'up' });
  });
});
