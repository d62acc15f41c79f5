/** Every entry has a time to live: jittered, shorter without a row, and set where one asks for it. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Redis } from 'ioredis';
import { defineQuery, minutes, seconds } from '../../src/index.js';
import { CachedApplication } from '../support/cached-application.js';
import { eventually } from '../../../../test/support/eventually.js';
import { RedisServer } from '../../../../test/support/redis-server.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { Bystander } from '../fixtures/entities.js';

const TTL_MS = minutes(10);
const JITTER = 0.2;

const byId = defineQuery({
  name: 'bystanders.by-id',
  shape: 'one',
  build: (source, { id }: { id: number }) =>
    source.getRepository(Bystander).createQueryBuilder('b').where('b.id = :id', { id }),
});

let redis: RedisServer;
let keys: Redis;
let app: CachedApplication;

beforeAll(async () => {
  redis = await RedisServer.start();
  keys = new Redis(redis.url);
  app = await CachedApplication.start({
    databaseUrl: await createDatabase(),
    entities: [Bystander],
    synchronize: true,
    cache: { redis: { url: redis.url }, ttlMs: TTL_MS, ttlJitter: JITTER },
  });
  await app.source.query('INSERT INTO bystanders SELECT generate_series(1, 50)');
});

afterAll(async () => {
  await app.stop();
  keys.disconnect();
  await redis.stop();
});

beforeEach(async () => {
  const entries = await entryKeys();
  if (entries.length > 0) await keys.del(...entries);
});

async function entryKeys(): Promise<string[]> {
  const [, found] = await keys.scan(0, 'MATCH', 'tidemark:e:*', 'COUNT', 100_000);
  return found;
}

/** The times to live of all entries in Redis, once there are so many. */
async function timesToLive(count: number): Promise<number[]> {
  return eventually(async () => {
    const entries = await entryKeys();
    expect(entries).toHaveLength(count);
    return Promise.all(entries.map((key) => keys.pttl(key)));
  });
}

/** Allowed difference between a reading and the set time, since the clock runs on meanwhile. */
const SLACK_MS = seconds(30);

describe('the time to live', () => {
  it('varies around the set value, so that entries do not expire together', async () => {
    for (let id = 1; id <= 40; id += 1) await app.cache.run(byId.bind({ id }));
    const times = await timesToLive(40);
    expect(Math.min(...times)).toBeGreaterThan(TTL_MS * (1 - JITTER) - SLACK_MS);
    expect(Math.max(...times)).toBeLessThanOrEqual(TTL_MS * (1 + JITTER));
    // Forty equal draws of a real jitter do not happen.
    expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(TTL_MS * JITTER * 0.2);
  });

  it('is a tenth for an answer without a row', async () => {
    expect(await app.cache.run(byId.bind({ id: 1_000 }))).toBeNull();
    const [time = 0] = await timesToLive(1);
    expect(time).toBeGreaterThan(0);
    expect(time).toBeLessThanOrEqual(TTL_MS * 0.1 * (1 + JITTER));
  });

  it('can be set for one query, also for when it has no row', async () => {
    await app.cache.run(byId.bind({ id: 50 }), { ttl: minutes(60) });
    const [time = 0] = await timesToLive(1);
    expect(time).toBeGreaterThan(minutes(60) * (1 - JITTER) - SLACK_MS);
    await app.cache.run(byId.bind({ id: 2_000 }), { emptyTtl: minutes(90) });
    const times = await timesToLive(2);
    expect(Math.max(...times)).toBeGreaterThan(minutes(90) * (1 - JITTER) - SLACK_MS);
  });
});
