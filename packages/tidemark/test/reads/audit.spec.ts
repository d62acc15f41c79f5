/** Real: PostgreSQL, Redis. The auditor finds a planted wrong entry, and nothing where the cache is right. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Logger } from '@nestjs/common';
import pg from 'pg';
import { CacheHealth, defineQuery, type CacheEventMap } from '../../src/index.js';
import { CacheReader } from '../../src/nestjs/cache-reader.js';
import { ReadCore } from '../../src/nestjs/read-core.js';
import { CachedApplication } from '../support/cached-application.js';
import { eventually } from '../../../../test/support/eventually.js';
import { RedisServer } from '../../../../test/support/redis-server.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { Customer } from '../fixtures/entities.js';

type Audited = CacheEventMap['audited'][0];

const inRegion = defineQuery({
  name: 'customers.in-region',
  build: (source, { region }: { region: string }) =>
    source
      .getRepository(Customer)
      .createQueryBuilder('c')
      .where('c.region = :region', { region })
      .orderBy('c.id'),
  map: ({ name, visits, changedAt }) => ({ name, visits, changedAt }),
});

const REGION = 'Atlantis';
const query = () => inRegion.bind({ region: REGION });

const error = vi.spyOn(Logger.prototype, 'error');

let redis: RedisServer;
let databaseUrl: string;
let outside: pg.Client;
let apps: CachedApplication[];
let audited: Audited[];

beforeEach(async () => {
  error.mockClear();
  redis = await RedisServer.start();
  databaseUrl = await createDatabase();
  outside = new pg.Client({ connectionString: databaseUrl });
  await outside.connect();
  apps = [];
  audited = [];
});

afterEach(async () => {
  await outside.end();
  for (const app of apps) await app.stop();
  await redis.stop();
});

async function start(triggers: 'install' | 'off'): Promise<CachedApplication> {
  const app = await CachedApplication.start({
    databaseUrl,
    entities: [Customer],
    synchronize: apps.length === 0,
    cache: { redis: { url: redis.url }, audit: 1 },
    invalidation: { triggers },
  });
  apps.push(app);
  app.cache.events.on('audited', (event) => audited.push(event));
  return app;
}

const asValue = (app: CachedApplication) => app.cache.run(query());
const asJson = (app: CachedApplication) => app.get(CacheReader).readJson(query(), {});

async function untilHit(app: CachedApplication, read: (app: CachedApplication) => unknown) {
  await eventually(async () => {
    expect((await app.observe(async () => read(app))).outcomes).toEqual(['hit']);
  });
}

describe.each([
  ['values', asValue],
  ['JSON', asJson],
])('an answer as %s', (_, read) => {
  it('that a write without triggers has made wrong: event, line of the log and health', async () => {
    const app = await start('off');
    await app.source.query(`INSERT INTO customers (name, region) VALUES ('Plato', '${REGION}')`);
    await untilHit(app, read);
    await eventually(() => expect(audited.map(({ difference }) => difference)).toContain('none'));
    expect(JSON.stringify(app.get(CacheHealth).check())).not.toContain('auditor');

    // Without triggers, the cache does not see it.
    await outside.query(`UPDATE customers SET visits = 7`);
    audited.length = 0;
    await untilHit(app, read);
    await eventually(() =>
      expect(audited).toContainEqual({
        query: 'customers.in-region',
        key: expect.any(String),
        difference: 'content',
        stamp: expect.stringContaining('public.customers@'),
      }),
    );
    expect(app.get(CacheHealth).check()).toEqual({
      status: 'degraded',
      detail: expect.stringContaining('of the query customers.in-region'),
    });
    const lines = error.mock.calls.map(([line]) => String(line));
    expect(lines).toContainEqual(expect.stringMatching(/^Audit: .*customers\.in-region.*stamp/));
    expect(JSON.stringify([lines, audited])).not.toContain(REGION);
  });
});

it('every hit of two instances audited, under their writes and those of others: no difference', async () => {
  const [one, two] = [await start('install'), await start('install')];
  await one.source.query(
    `INSERT INTO customers (name, region) SELECT 'c' || n, '${REGION}' FROM generate_series(1, 20) n`,
  );
  const visit = (id: number) => `UPDATE customers SET visits = visits + 1 WHERE id = ${id}`;
  let isDone = false;
  const compared = () => audited.filter(({ difference }) => difference === 'none').length;
  const reading = [one, two].flatMap((app) =>
    [asValue, asJson].map(async (read) => {
      while (!isDone) await read(app);
    }),
  );
  // Each writer goes on when answers were audited since its last write: hits and writes alternate quickly.
  for (let round = 1; round <= 40; round += 1) {
    const before = compared();
    const id = 1 + (round % 20);
    if (round % 4 === 0) await one.source.query(visit(id));
    else if (round % 4 === 1)
      await two.source.getRepository(Customer).increment({ id }, 'visits', 1);
    else await outside.query(visit(id));
    await eventually(() => expect(compared()).toBeGreaterThan(before));
  }
  isDone = true;
  await Promise.all(reading);
  expect(one.get(CacheHealth).check()).toEqual({ status: 'up' });

  // A difference is reported later than equality: an audit that was under way ends before that of a planted one.
  for (const read of [asValue, asJson]) await untilHit(one, read);
  // JSON is kept as text.
  const isText = (found: string) => typeof one.get(ReadCore).local.get(found)?.content === 'string';
  const { key } = audited.findLast((event) => isText(event.key)) ?? {};
  expect(key).toBeDefined();
  const planted = plantIn(one, key ?? '');
  await eventually(async () => {
    await asValue(one);
    await asJson(one);
    expect(audited.some(({ difference }) => difference !== 'none')).toBe(true);
  });
  const different = audited.filter(({ difference }) => difference !== 'none');
  expect(new Set(different.map((event) => event.key))).toEqual(new Set([planted]));
});

/** Makes the entry in memory wrong, and leaves its stamp. */
function plantIn(app: CachedApplication, key: string): string {
  const entry = app.get(ReadCore).local.get(key);
  const content = String(entry?.content).replace('c1', 'no');
  expect(content).not.toBe(String(entry?.content));
  Object.assign(entry ?? {}, { content });
  return key;
}
