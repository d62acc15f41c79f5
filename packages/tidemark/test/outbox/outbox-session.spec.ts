/** Real: PostgreSQL. The session of a relay. */
import { expect, it } from 'vitest';
import pg from 'pg';
import { OutboxObjects } from '../../src/postgres/capture/outbox-objects.js';
import { OutboxSession } from '../../src/postgres/capture/outbox-session.js';
import { eventually } from '../../../../test/support/eventually.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';

const ATTEMPTS = 3;

it('leaves no connection behind when the server refuses its first statement', async () => {
  const url = new URL(await createDatabase());
  const observer = new pg.Client({ connectionString: url.href });
  await observer.connect();
  try {
    const name = url.pathname.slice(1);
    url.searchParams.set('application_name', name);
    // A session for physical replication takes no SQL.
    url.searchParams.set('replication', 'true');
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const opened = OutboxSession.open({ connectionString: url.href }, new OutboxObjects('a'));
      await expect(opened).rejects.toThrow('WAL sender');
    }
    await eventually(async () => {
      const sql = 'SELECT pid FROM pg_stat_activity WHERE application_name = $1';
      expect((await observer.query(sql, [name])).rows).toEqual([]);
    });
  } finally {
    await observer.end();
  }
});
