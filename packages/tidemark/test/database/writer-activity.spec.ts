/** Real: PostgreSQL. Transactions that may still commit a write, as a role without privileges sees them. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { CacheEvents } from '../../src/core/ports/cache-events.js';
import { PostgresWriterActivity } from '../../src/typeorm/database/postgres-writer-activity.js';
import { StandbyWatch } from '../../src/typeorm/database/standby-watch.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';

const role = `plain_${randomBytes(4).toString('hex')}`;
let superuser: pg.Client;
let plain: pg.Client;
let source: DataSource;
let activity: PostgresWriterActivity;

beforeAll(async () => {
  const url = await createDatabase();
  superuser = new pg.Client({ connectionString: url, application_name: 'nightly job' });
  await superuser.connect();
  await superuser.query('CREATE TABLE jobs (id integer)');
  await superuser.query(`CREATE ROLE ${role} LOGIN`);
  await superuser.query(`GRANT ALL ON jobs TO ${role}`);
  const plainUrl = new URL(url);
  plainUrl.username = role;
  plain = new pg.Client({ connectionString: plainUrl.href, application_name: 'own' });
  await plain.connect();
  source = await new DataSource({ type: 'postgres', url: plainUrl.href }).initialize();
  activity = new PostgresWriterActivity(
    source,
    new StandbyWatch(source, new CacheEvents(), console),
  );
});

afterAll(async () => {
  await source.destroy();
  await plain.end();
  await superuser.query(`DROP OWNED BY ${role}`);
  await superuser.query(`DROP ROLE ${role}`);
  await superuser.end();
});

async function pidOf(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  return rows[0]?.pid ?? 0;
}

it('names the application of every session, and the start of its transaction to its own role', async () => {
  for (const client of [superuser, plain]) await client.query('BEGIN; SELECT FROM jobs');
  expect(await activity.writers()).toEqual(new Map());
  for (const client of [superuser, plain]) await client.query('INSERT INTO jobs VALUES (1)');
  expect(await activity.writers()).toEqual(
    new Map([
      [
        await pidOf(superuser),
        { id: expect.stringMatching(/^\d+$/), application: 'nightly job', since: undefined },
      ],
      [
        await pidOf(plain),
        {
          id: expect.stringMatching(/^\d+$/),
          application: 'own',
          since: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
        },
      ],
    ]),
  );
  for (const client of [superuser, plain]) await client.query('ROLLBACK');
  expect(await activity.writers()).toEqual(new Map());
});
