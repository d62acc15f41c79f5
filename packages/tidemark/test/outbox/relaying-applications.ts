/** Applications over one database and one Redis, each with a relay. */
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect } from 'vitest';
import pg from 'pg';
import { CacheTriggers, OutboxRelay, defineQuery } from '../../src/index.js';
import { CachedApplication } from '../support/cached-application.js';
import { eventually } from '../../../../test/support/eventually.js';
import { RedisServer } from '../../../../test/support/redis-server.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { Bystander } from '../fixtures/entities.js';

const bystanders = defineQuery({
  name: 'bystanders',
  build: (source, _: Record<string, never>) =>
    source.getRepository(Bystander).createQueryBuilder('b').orderBy('b.id'),
  map: ({ id }: Bystander) => id,
}).bind({});

export let redis: RedisServer;
export let databaseUrl: string;
export let client: pg.Client;
export const applications: CachedApplication[] = [];

/** For each test a Redis, and a database with one table. */
export function useRelays(): void {
  beforeEach(async () => {
    redis = await RedisServer.start();
    databaseUrl = await createDatabase();
    client = new pg.Client({ connectionString: databaseUrl });
    client.on('error', () => undefined);
    await client.connect();
    await client.query('CREATE TABLE bystanders (id int PRIMARY KEY)');
    applications.length = 0;
  });

  afterEach(async () => {
    for (const application of applications) await application.stop();
    await client.end();
    await redis.stop();
  });
}

export async function start(): Promise<CachedApplication> {
  const application = await startAs(databaseUrl);
  await new CacheTriggers(application.source, 'tidemark').install();
  return application;
}

/** A role that owns the table and the outbox and may end no session of another role. */
export async function ownerWithoutRights(): Promise<string> {
  const role = `plain_${randomBytes(4).toString('hex')}`;
  await client.query(`CREATE ROLE ${role} LOGIN`);
  await client.query(`GRANT ALL ON SCHEMA tidemark_tidemark TO ${role}`);
  await client.query(`GRANT ALL ON ALL TABLES IN SCHEMA tidemark_tidemark, public TO ${role}`);
  const url = new URL(databaseUrl);
  url.username = role;
  return url.href;
}

export async function startAs(url: string): Promise<CachedApplication> {
  const application = await CachedApplication.start({
    databaseUrl: url,
    entities: [Bystander],
    cache: { redis: { url: redis.url, timeoutMs: 1_000 } },
  });
  applications.push(application);
  return application;
}

/** The notices of the installation are relayed: only later writes are left. */
export async function emptied(): Promise<void> {
  await eventually(async () => {
    expect((await client.query('SELECT FROM tidemark_tidemark.outbox')).rows).toEqual([]);
  });
}

export const relayOf = (application: CachedApplication): OutboxRelay =>
  application.get(OutboxRelay);

export async function expectState(
  application: CachedApplication,
  state: OutboxRelay['state'],
): Promise<void> {
  await eventually(() => expect(relayOf(application).state).toBe(state));
}

export async function warm(application: CachedApplication): Promise<void> {
  await eventually(async () => {
    const { outcomes } = await application.observe(() => application.cache.run(bystanders));
    expect(outcomes).toEqual(['hit']);
  });
}

export async function seenBy(
  application: CachedApplication,
  ids: readonly number[],
): Promise<void> {
  await eventually(async () => expect(await application.cache.run(bystanders)).toEqual(ids));
}
