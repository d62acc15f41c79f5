/**
 * Real: PostgreSQL, Redis. Writes of an instance that alone is cut off from Redis end the answers of their regions on the
 * other instances, and no others, as long as the database shows that it knows the current definitions.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import pg from 'pg';
import { defineQuery } from '../../src/index.js';
import { eventually } from '../../../../test/support/eventually.js';
import { RedisServer } from '../../../../test/support/redis-server.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { TcpProxy } from '../../../../test/support/tcp-proxy.js';
import { Bystander, Customer } from '../fixtures/entities.js';
import { CachedApplication } from '../support/cached-application.js';
import { StatementCounter } from '../support/statement-counter.js';

const ofRegion = defineQuery({
  name: 'customers.of-region',
  build: (source, { region }: { region: string }) =>
    source
      .getRepository(Customer)
      .createQueryBuilder('c')
      .where('c.region = :region', { region })
      .orderBy('c.id'),
  map: ({ visits }: Customer) => visits,
});
const eu = ofRegion.bind({ region: 'EU' });
const us = ofRegion.bind({ region: 'US' });
const bystanders = defineQuery({
  name: 'bystanders.all',
  build: (source, _: Record<string, never>) =>
    source.getRepository(Bystander).createQueryBuilder('b').orderBy('b.id'),
  map: ({ id }: Bystander) => id,
}).bind({});

let redis: RedisServer;
let proxy: TcpProxy;
let client: pg.Client;
let other: CachedApplication;
let cutOff: CachedApplication;
let sql: StatementCounter;

beforeAll(async () => {
  redis = await RedisServer.start();
  proxy = await TcpProxy.open(redis.port);
  const databaseUrl = await createDatabase();
  client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const start = (url: string) =>
    CachedApplication.start({
      databaseUrl,
      entities: [Customer, Bystander],
      synchronize: true,
      cache: { redis: { url, timeoutMs: 500 }, ttlJitter: 0, exposeValues: true },
      invalidation: { triggers: 'install' },
    });
  other = await start(redis.url);
  await client.query(
    `INSERT INTO customers (name, region) VALUES ('Ada', 'EU'), ('Bob', 'US'), ('Cyd', 'EU')`,
  );
  cutOff = await start(proxy.redisUrl);
  sql = StatementCounter.attach(other.source);
  other.cache.events.on('invalidated', ({ source, regions }) => {
    if (source !== 'outside') return;
    relayed.push(Object.fromEntries(regions.map(({ table, names }) => [table, names])));
  });
  await cut();
});

afterAll(async () => {
  sql.detach();
  await cutOff.stop();
  await other.stop();
  await client.end();
  await proxy.close();
  await redis.stop();
});

const warm = (application: CachedApplication): Promise<void> =>
  eventually(async () => {
    const { outcomes } = await application.observe(async () => {
      for (const query of [eu, us, bystanders]) await application.cache.run(query);
    });
    expect(outcomes).toEqual(['hit', 'hit', 'hit']);
  });

/** What the other instance has published for writers that could not: tables with names of versions. */
let relayed: Record<string, readonly string[]>[] = [];

/** A write of the instance that is cut off; resolves to what the other one publishes for it. */
async function write(statement: string): Promise<Record<string, readonly string[]>> {
  relayed = [];
  await cutOff.source.query(statement);
  await eventually(() => expect(relayed).not.toEqual([]));
  return relayed[0] ?? {};
}

const visit = 'UPDATE customers SET visits = visits + 1 WHERE id = 1';

/** Cuts it off once both have all answers, and it knows the state of the definitions, which it reads in the background. */
async function cut(): Promise<void> {
  proxy.accept();
  for (const application of [cutOff, other]) await warm(application);
  await eventually(async () => {
    expect((await client.query('SELECT FROM tidemark_tidemark.outbox')).rows).toEqual([]);
  });
  proxy.refuse();
  await eventually(async () => {
    expect(Object.keys(await write(visit))).toEqual(['public.customers']);
  });
}
it('its writes end the answers of their regions, and no others', async () => {
  await warm(other);
  sql.reset();
  const published = await write(visit);
  expect(published).toEqual({ 'public.customers': ['*', 'id=1', 'region=EU'] });
  const [before = 0] = await client
    .query<{ visits: number }>('SELECT visits FROM customers WHERE id = 1')
    .then(({ rows }) => rows.map(({ visits }) => visits));
  await eventually(async () => expect(await other.cache.run(eu)).toEqual([before, 0]));
  expect(sql.selectsFrom('customers').length).toBeGreaterThan(0);
  sql.reset();
  const { outcomes } = await other.observe(async () => {
    await other.cache.run(us);
    await other.cache.run(bystanders);
  });
  expect(outcomes).toEqual(['hit', 'hit']);
  expect([...sql.selectsFrom('customers'), ...sql.selectsFrom('bystanders')]).toEqual([]);
});

it.each(['REPEATABLE READ', 'SERIALIZABLE'] as const)(
  'a transaction at %s ends all answers: it does not see definitions that change meanwhile',
  async (level) => {
    relayed = [];
    await cutOff.source.transaction(level, (manager) => manager.query(visit));
    await eventually(() => expect(Object.keys(relayed[0] ?? {})).toContain('*'));
  },
);

it('a short limit of the transaction for its statements does not refuse its write', async () => {
  await cutOff.source.transaction(async (manager) => {
    await manager.query(visit);
    await manager.query('SET LOCAL statement_timeout = 1');
  });
  await eventually(async () => {
    const { rows } = await client.query('SELECT visits FROM customers WHERE id = 1');
    expect(await other.cache.run(eu)).toEqual([rows[0].visits, 0]);
  });
});

it.each([
  ['no object', '[]', '*'],
  ['no tables', '{"tables": null}', '*'],
  ['no list of values', '{"tables": {"public.customers": {"region": "EU"}}}', '*'],
  ['a value that is no text', '{"tables": {"public.customers": {"region": [1]}}}', '*'],
  ['an unknown table', '{"tables": {"public.nowhere": {}}}', '*'],
  ['no values', '{"tables": {"public.customers": {}}}', 'public.customers'],
])('a row of another client with %s: ends %s', async (_, regions, table) => {
  relayed = [];
  await client.query(
    `INSERT INTO tidemark_tidemark.outbox (table_name, regions) VALUES ('*', $1)`,
    [regions],
  );
  await client.query('NOTIFY tidemark_tidemark');
  await eventually(() => expect(Object.keys(relayed[0] ?? {})).toEqual([table]));
});

it.each([
  ['a column of another table', 'ALTER TABLE bystanders ADD COLUMN note text'],
  ['a function', 'CREATE FUNCTION late() RETURNS int LANGUAGE sql AS $$SELECT 1$$'],
])('its writes end all answers once another client has made %s', async (_, statement) => {
  await cut();
  await client.query(statement);
  expect(Object.keys(await write(visit))).toContain('*');
  await eventually(async () => {
    const { outcomes } = await other.observe(() => other.cache.run(bystanders));
    expect(outcomes).toEqual(['hit']);
  });
});
