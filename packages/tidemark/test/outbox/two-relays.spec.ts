/**
 * Two relays at once: one that holds the lock and stands still, and one that does not reach all buckets of the store.
 * Real: PostgreSQL.
 */
import { afterEach, beforeEach, expect, it } from 'vitest';
import pg from 'pg';
import { outboxStatements } from '../../src/postgres/capture/capture-sql.js';
import { OutboxObjects } from '../../src/postgres/capture/outbox-objects.js';
import { OutboxRelay } from '../../src/postgres/capture/outbox-relay.js';
import type { RecordingChanges } from '../../src/postgres/capture/recording-changes.js';
import type { CatalogSource } from '../../src/postgres/capture/capture-parts.js';
import { schemaDependency, schemaIn } from '../../src/core/schema-version.js';
import type { WriteProtocol } from '../../src/core/write-protocol.js';
import { eventually } from '../../../../test/support/eventually.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { ORDERS, setUp } from '../protocol/support/protocols.js';

const objects = new OutboxObjects('relays');
/** Knows no table: a row of a table counts as a write to all. */
const schema = {
  catalog: { tableById: () => undefined },
  isOutdated: false,
  isCurrent: async () => true,
  markOutdated: () => undefined,
} as unknown as CatalogSource;

let client: pg.Client;
let connectionString: string;
let relays: OutboxRelay[];

beforeEach(async () => {
  connectionString = await createDatabase();
  client = new pg.Client({ connectionString });
  await client.connect();
  for (const sql of outboxStatements(objects)) await client.query(sql);
  relays = [];
});

afterEach(async () => {
  await Promise.all(relays.map((relay) => relay.close()));
  await client.end();
});

function start({ store, events }: ReturnType<typeof setUp>, publish: WriteProtocol['publish']) {
  const relay = new OutboxRelay({
    store,
    events,
    schema,
    objects,
    protocol: { publish } as WriteProtocol,
    connection: () => ({ connectionString }),
    recording: { check: async () => undefined } as unknown as RecordingChanges,
    isNeeded: false,
    log: { log: () => undefined, warn: () => undefined },
  });
  relays.push(relay);
  relay.start();
  return relay;
}

async function rows(): Promise<readonly string[]> {
  const found = await client.query<{ name: string }>(
    `SELECT table_name AS name FROM ${objects.table} ORDER BY id`,
  );
  return found.rows.map(({ name }) => name);
}

const add = (table: string) =>
  client.query(`INSERT INTO ${objects.table} (table_name) VALUES ($1)`, [table]);

it('a row for a bucket that one of them has published and not removed yet does not stand for a later write', async () => {
  const one = setUp();
  const other = setUp();
  other.store.away.add(1);
  const version = async () => (await one.store.read([schemaDependency(1)]))[0]?.versions;
  let publications = 0;
  let goOn = (): void => undefined;
  const held = new Promise<void>((resolve) => (goOn = resolve));
  start(one, async (written) => {
    const failures = await one.writes.publish(written);
    publications += 1;
    await held;
    return failures;
  });
  await eventually(() => expect(relays[0]?.state).toBe('relaying'));
  await one.store.rotate(schemaIn(1), undefined, 'e1');
  await one.store.create(schemaDependency(1), 'v1');
  await add(schemaIn(1));
  await eventually(() => expect(publications).toBe(1));
  const before = await version();
  await add(ORDERS);
  start(other, (written) => other.writes.publish(written));
  // It publishes without the lock, and leaves a row of its own for the bucket that it does not reach.
  await eventually(async () => expect(await rows()).toEqual([schemaIn(1)]));
  expect(await version()).toEqual(before);
  goOn();
  await eventually(async () => {
    expect(await rows()).toEqual([]);
    expect(await version()).not.toEqual(before);
  });
});
