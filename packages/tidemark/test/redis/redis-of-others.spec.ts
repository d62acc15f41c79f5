/** Another client of Redis writes under the keys of the cache: reads stay right, and the cache recovers. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Redis } from 'ioredis';
import { defineQuery } from '../../src/index.js';
import { CachedApplication } from '../support/cached-application.js';
import { eventually } from '../../../../test/support/eventually.js';
import { representatives } from '../../../../test/support/long-tests.js';
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
    cache: { redis: { url: redis.url }, markLeaseMs: 200, fillLeaseMs: 500, fillWaitMs: 1_000 },
  };
  one = await CachedApplication.start({ ...options, synchronize: true });
  two = await CachedApplication.start(options);
});

afterAll(async () => {
  await Promise.all([one.stop(), two.stop()]);
  admin.disconnect();
  await redis.stop();
});

async function read(
  app: CachedApplication,
  id: number,
): Promise<{ rows: number; outcome: string }> {
  const { value, outcomes } = await app.observe(() => app.cache.run(byId.bind({ id })));
  return { rows: value.length, outcome: outcomes.at(-1) ?? '' };
}

/** A row that both applications have in the cache. */
async function cachedRow(): Promise<number> {
  const id = (ids += 1);
  await one.source.query('INSERT INTO bystanders VALUES ($1)', [id]);
  await bothHit(id, 1);
  return id;
}

async function bothHit(id: number, rows: number): Promise<void> {
  await eventually(async () => {
    for (const app of [one, two]) expect(await read(app, id)).toEqual({ rows, outcome: 'hit' });
  });
}

async function keysLike(pattern: string): Promise<string[]> {
  const keys = await admin.keys(`tidemark:${pattern}`);
  expect(keys.length).toBeGreaterThan(0);
  return keys;
}

const VALUES: Readonly<Record<string, (key: string) => Promise<unknown>>> = {
  'a text': (key) => admin.set(key, '{"then":"_function_then|function(done){ done([]) }"}'),
  'a text with marks': (key) => admin.set(key, '!x!y z'),
  'no UTF-8': (key) => admin.set(key, Buffer.from([0xff, 0xfe, 0x21, 0x20, 0xff])),
  'a list': (key) => admin.rpush(key, 'x'),
  'a hash': (key) => admin.hset(key, 'x', '{"names":{"a":1}}', '\u00ff', 'null'),
  'a set': (key) => admin.sadd(key, 'x', '\u00ff{'),
};

describe.each([
  ['entries', 'e:*'],
  ['versions', '*:{public.bystanders}:v:*'],
  ['epochs', '*:e'],
  ['marks', '{public.bystanders}:m'],
  ['dimensions', '{public.bystanders}:d'],
  ['list of tables', 't'],
])('in the place of the %s', (what, pattern) => {
  it.each(representatives(Object.keys(VALUES), 1, 4))('%s', async (kind) => {
    const id = await cachedRow();
    const keys =
      pattern.endsWith('*') || what === 'epochs'
        ? await keysLike(pattern)
        : [await keyNamed(pattern)];
    for (const key of keys) {
      await admin.del(key);
      await VALUES[kind]?.(key);
    }
    for (const app of [one, two]) expect((await read(app, id)).rows).toBe(1);
    // A write with known rows, and one with unknown targets.
    await one.source.query('DELETE FROM bystanders WHERE id = $1', [id]);
    for (const app of [two, one]) expect((await read(app, id)).rows).toBe(0);
    await bothHit(id, 0);
    await two.source.query(`DO $$ BEGIN INSERT INTO bystanders VALUES (${id}); END $$`);
    for (const app of [one, two]) expect((await read(app, id)).rows).toBe(1);
    await bothHit(id, 1);
  });
});

/** Also where there is none yet, or none any more. */
async function keyNamed(name: string): Promise<string> {
  const [epoch = ''] = await keysLike('*:{public.bystanders}:e');
  return epoch.replace('{public.bystanders}:e', name);
}

it('an entry of another client is counted, and the next answer replaces it', async () => {
  const refused: string[] = [];
  two.cache.events.on('entryRefused', ({ reason }) => refused.push(reason));
  const id = (ids += 1);
  await one.source.query('INSERT INTO bystanders VALUES ($1)', [id]);
  const before = new Set(await admin.keys('tidemark:e:*'));
  await eventually(async () => expect((await read(one, id)).outcome).toBe('hit'));
  const key = await eventually(async () => {
    const added = (await admin.keys('tidemark:e:*')).filter((name) => !before.has(name));
    expect(added).toHaveLength(1);
    return String(added[0]);
  });
  const genuine = await admin.getBuffer(key);
  await admin.set(
    key,
    '{"then":"_function_then|function(done){ globalThis.planted = 1; done([]) }"}',
  );
  expect(await read(two, id)).toEqual({ rows: 1, outcome: 'miss' });
  expect(refused).toContain('form');
  expect(globalThis).not.toHaveProperty('planted');
  await eventually(async () =>
    expect((await admin.getBuffer(key))?.subarray(0, 3)).toEqual(genuine?.subarray(0, 3)),
  );
});
