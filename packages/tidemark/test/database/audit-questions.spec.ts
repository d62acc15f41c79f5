/** Real: PostgreSQL. What the auditor asks: whether writes wait in the outbox, and whether a connection is spare. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import pg from 'pg';
import { DataSource, type QueryRunner } from 'typeorm';
import { OutboxObjects } from '../../src/postgres/capture/outbox-objects.js';
import { hasSpareConnection } from '../../src/typeorm/database/spare-connection.js';
import { areWritesWaiting } from '../../src/typeorm/database/waiting-writes.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';

const role = `reader_${randomBytes(4).toString('hex')}`;
const outbox = new OutboxObjects('tidemark');
let databaseUrl: string;
let superuser: pg.Client;

beforeAll(async () => {
  databaseUrl = await createDatabase();
  superuser = new pg.Client(databaseUrl);
  await superuser.connect();
  await superuser.query(`CREATE ROLE ${role} LOGIN`);
});

afterAll(async () => {
  await superuser.query(`DROP OWNED BY ${role}`);
  await superuser.query(`DROP ROLE ${role}`);
  await superuser.end();
});

describe('waiting writes', () => {
  let source: DataSource;
  const areWaiting = (): Promise<boolean> => areWritesWaiting(source, outbox);

  beforeAll(async () => {
    const url = new URL(databaseUrl);
    url.username = role;
    source = await new DataSource({ type: 'postgres', url: url.href }).initialize();
  });

  afterAll(() => source.destroy());

  it('without an outbox none waits; in an outbox its rows do; a role that may not read it knows of none', async () => {
    expect(await areWaiting()).toBe(false);
    await superuser.query(`CREATE SCHEMA ${outbox.quotedSchema}`);
    await expect(areWaiting()).rejects.toMatchObject({ code: '42501' });
    await superuser.query(`GRANT USAGE ON SCHEMA ${outbox.quotedSchema} TO ${role}`);
    expect(await areWaiting()).toBe(false);
    await superuser.query(`CREATE TABLE ${outbox.table} (id integer)`);
    await expect(areWaiting()).rejects.toMatchObject({ code: '42501' });
    await superuser.query(`GRANT SELECT ON ${outbox.table} TO ${role}`);
    expect(await areWaiting()).toBe(false);
    await superuser.query(`INSERT INTO ${outbox.table} VALUES (1)`);
    expect(await areWaiting()).toBe(true);
  });
});

describe('a spare connection', () => {
  it.each([
    [1, 0, false],
    [2, 0, true],
    [2, 1, false],
    [3, 1, true],
    [5, 2, true],
    [5, 3, false],
  ])('pool of %i, %i in use: %s', async (poolSize, inUse, isSpare) => {
    const options = { type: 'postgres', url: databaseUrl, poolSize } as const;
    const source = await new DataSource(options).initialize();
    const runners: QueryRunner[] = [];
    try {
      while (runners.length < inUse) {
        const runner = source.createQueryRunner();
        runners.push(runner);
        await runner.connect();
      }
      expect(hasSpareConnection(source)).toBe(isSpare);
    } finally {
      for (const runner of runners) await runner.release();
      await source.destroy();
    }
  });
});
