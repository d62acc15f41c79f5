/** Keys of the cache are deleted while it runs: writes to anything still end every answer. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Redis } from 'ioredis';
import { CacheHealth, defineQuery } from '../../src/index.js';
import { CachedApplication } from '../support/cached-application.js';
import { eventually } from '../../../../test/support/eventually.js';
import { RedisServer } from '../../../../test/support/redis-server.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { Bystander } from '../fixtures/entities.js';

const byId = defineQuery({
  name: 'bystanders.by-id',
  build: (source, { id }: { id: number }) =>
    source.getRepository(Bystander).createQueryBuilder('b').where('b.id = :id', { id }),
});

let redis: RedisServer;
let admin: Redis;
let one: CachedApplication;
let two: CachedApplication;
let ids = 0;

beforeAll(async () => {
  redis = await RedisServer.start();
  admin = new Redis(redis.url);
  const options = {
    databaseUrl: await createDatabase(),
    entities: [Bystander],
    cache: { redis: { url: redis.url }, markLeaseMs: 200 },
  };
  one = await CachedApplication.start({ ...options, synchronize: true });
  two = await CachedApplication.start(options);
  await one.source.query(
    `CREATE FUNCTION make(id int) RETURNS int LANGUAGE sql VOLATILE
     AS 'INSERT INTO bystanders VALUES (id) RETURNING id'`,
  );
});

afterAll(async () => {
  await Promise.all([one.stop(), two.stop()]);
  admin.disconnect();
  await redis.stop();
});

async function read(app: CachedApplication, id: number): Promise<{ rows: number; how: string }> {
  const { value, outcomes } = await app.observe(() => app.cache.run(byId.bind({ id })));
  return { rows: value.length, how: outcomes.at(-1) ?? '' };
}

async function bothHit(id: number, rows: number): Promise<void> {
  await eventually(async () => {
    for (const app of [one, two]) expect(await read(app, id)).toEqual({ rows, how: 'hit' });
  });
}

async function remove(...patterns: readonly string[]): Promise<void> {
  for (const pattern of patterns) {
    for (const key of await admin.keys(`tidemark:*${pattern}`)) await admin.del(key);
  }
}

/** Of both applications at once, as long as `work` runs. */
async function underReads(id: number, work: () => Promise<void>): Promise<void> {
  let isRunning = true;
  const reading = [one, two, one, two].map(async (app) => {
    while (isRunning) expect((await read(app, id)).rows).toBe(0);
  });
  await work();
  isRunning = false;
  await Promise.all(reading);
}

describe('a write to all tables ends every answer', () => {
  it.each<[what: string, lose: () => Promise<unknown>]>([
    [
      'the name of a table',
      async () => admin.srem((await keysOf('*:t'))[0] ?? '', 'public.bystanders'),
    ],
    ['the names of all tables', () => remove(':t')],
    ['the names of all tables and the versions of the schema', () => remove(':t', '{#schema}:v:*')],
    ['the names of all tables and the epoch of the schema', () => remove(':t', '{#schema}:e')],
    ['all of the schema', () => remove(':t', '{#schema}:*')],
    ['the marks and dimensions', () => remove(':m', ':d')],
  ])('after Redis has lost %s', async (_, lose) => {
    const id = (ids += 1);
    await bothHit(id, 0);
    await lose();
    await bothHit(id, 0);
    await one.source.query('SELECT make($1)', [id]);
    for (const app of [two, one]) expect((await read(app, id)).rows).toBe(1);
    await bothHit(id, 1);
    await two.source.query(`DO $$ BEGIN DELETE FROM bystanders WHERE id = ${id}; END $$`);
    for (const app of [one, two]) expect((await read(app, id)).rows).toBe(0);
  });

  it.each<[what: string, purge: () => Promise<unknown>]>([
    [
      'two FLUSHALLs',
      async () => {
        await admin.flushall();
        await read(one, 0);
        await admin.flushall();
      },
    ],
    ['a purge by SCAN and DEL', () => remove(':*')],
  ])('after %s under load', async (_, purge) => {
    for (let round = 0; round < 2; round += 1) {
      const id = (ids += 1);
      await bothHit(id, 0);
      await underReads(id, async () => void (await purge()));
      await bothHit(id, 0);
      await one.source.query('SELECT make($1)', [id]);
      for (const app of [two, one]) expect((await read(app, id)).rows).toBe(1);
    }
  });
});

it('a loss is shown by health and counted', async () => {
  const causes: string[] = [];
  for (const app of [one, two])
    app.cache.events.on('epochReplaced', ({ cause }) => causes.push(cause));
  await bothHit(ids, 1);
  await remove('{public.bystanders}:m', '{public.bystanders}:v:*');
  await bothHit(ids, 1);
  expect(causes).toContain('lost');
  const reports = [one, two].map((app) => app.get(CacheHealth).check());
  expect(reports).toContainEqual({
    status: 'degraded',
    detail: expect.stringContaining('Redis has lost data of the cache'),
  });
});

const keysOf = (pattern: string): Promise<string[]> => admin.keys(`tidemark:${pattern}`);
