/** The number of Redis keys made by readers of absent rows, and by writers of rows that are not read. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Redis } from 'ioredis';
import { defineQuery, minutes } from '../../src/index.js';
import { CachedApplication } from '../support/cached-application.js';
import { eventually } from '../../../../test/support/eventually.js';
import { RedisServer } from '../../../../test/support/redis-server.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { Bystander } from '../fixtures/entities.js';

const KNOWN = 20;
const UNKNOWN = 2_000;
const ALLOWED_PER_MINUTE = 100;
/** Keys that belong to no answer, such as those of the heartbeat. */
const OTHERS = 20;

const byId = defineQuery({
  name: 'bystanders.by-id',
  shape: 'one',
  build: (source, { id }: { id: number }) =>
    source.getRepository(Bystander).createQueryBuilder('b').where('b.id = :id', { id }),
  map: ({ id }: Bystander) => id,
});

const byIds = defineQuery({
  name: 'bystanders.by-ids',
  build: (source, { ids }: { ids: number[] }) =>
    source.getRepository(Bystander).createQueryBuilder('b').where('b.id IN (:...ids)', { ids }),
  map: ({ id }: Bystander) => id,
});

let redis: RedisServer;
let keys: Redis;
let app: CachedApplication;
let startedAtMs: number;

beforeAll(async () => {
  redis = await RedisServer.start();
  keys = new Redis(redis.url);
  startedAtMs = performance.now();
  app = await CachedApplication.start({
    databaseUrl: await createDatabase(),
    entities: [Bystander],
    synchronize: true,
    cache: { redis: { url: redis.url }, unknownKeysPerMinute: ALLOWED_PER_MINUTE },
  });
  await app.source.query(`INSERT INTO bystanders SELECT generate_series(1, ${KNOWN})`);
});

afterAll(async () => {
  await app.stop();
  keys.disconnect();
  await redis.stop();
});

const known = Array.from({ length: KNOWN }, (_, index) => index + 1);

/** The keys of the cache in Redis that match. */
async function keysLike(pattern: string): Promise<string[]> {
  const found = new Set<string>();
  for await (const some of keys.scanStream({ match: `tidemark:${pattern}`, count: 1_000 })) {
    for (const key of some as string[]) found.add(key);
  }
  return [...found];
}

async function forAll(count: number, work: (index: number) => Promise<unknown>): Promise<void> {
  for (let begun = 0; begun < count; begun += 100) {
    await Promise.all(Array.from({ length: 100 }, (_, index) => work(begun + index)));
  }
}

/** The rows that are there are hits, and each answer is right. */
async function expectKnownHits(): Promise<void> {
  for (const id of known) {
    const { value, outcomes } = await app.observe(() => app.cache.run(byId.bind({ id })));
    expect([value, outcomes]).toEqual([id, ['hit']]);
  }
}

describe('keys of values that do not exist', () => {
  it('are bounded, however many are requested, and known rows stay hits', async () => {
    await eventually(expectKnownHits);
    const refused = new Set<string | undefined>();
    app.cache.events.on('miss', ({ refusal }) => refused.add(refusal));
    await forAll(UNKNOWN, async (index) => {
      expect(await app.cache.run(byId.bind({ id: 1_000 + index }))).toBeNull();
    });
    await forAll(UNKNOWN / 10, async (index) => {
      const ids = [1, ...Array.from({ length: 10 }, (_, next) => 10_000 + index * 10 + next)];
      expect(await app.cache.run(byIds.bind({ ids }))).toEqual([1]);
    });
    await forAll(UNKNOWN / 10, async (index) => {
      await expect(app.cache.run(byId.bind({ id: 2 ** 31 + index }))).rejects.toThrow(
        'out of range',
      );
    });
    const elapsedMinutes = (performance.now() - startedAtMs) / minutes(1);
    const allowed = KNOWN + ALLOWED_PER_MINUTE * (1 + elapsedMinutes);
    // An answer has an entry and a version.
    await eventually(async () =>
      expect((await keysLike('*')).length).toBeLessThan(2 * allowed + OTHERS),
    );
    expect([...refused].toSorted()).toEqual(['unknown-keys', undefined]);
    await expectKnownHits();
  });

  it('live for a minute, and those of answers as long as the answers', async () => {
    const lives = await Promise.all(
      (await keysLike('*{public.bystanders}:v:id=*')).map(
        async (key) => [Number(key.slice(key.lastIndexOf('=') + 1)), await keys.pttl(key)] as const,
      ),
    );
    for (const [id, lifeMs] of lives) {
      expect(lifeMs).toBeLessThanOrEqual(id <= KNOWN ? minutes(6) : minutes(1));
      if (id <= KNOWN) expect(lifeMs).toBeGreaterThan(minutes(2));
    }
    expect(lives.filter(([id]) => id <= KNOWN)).toHaveLength(KNOWN);
  });

  it('are seen at once when a row is created for them later', async () => {
    const id = 500_000;
    expect(await app.cache.run(byId.bind({ id }))).toBeNull();
    await app.source.getRepository(Bystander).insert({ id });
    expect(await app.cache.run(byId.bind({ id }))).toBe(id);
  });

  it('are created again where they have expired, and nothing stale is served', async () => {
    expect(await keys.del(await keysLike('*{public.bystanders}:v:id=1'))).toBe(1);
    const { outcomes } = await app.observe(() => app.cache.run(byId.bind({ id: 1 })));
    expect(outcomes).toEqual(['miss']);
    await app.source.getRepository(Bystander).delete(1);
    expect(await app.cache.run(byId.bind({ id: 1 }))).toBeNull();
  });
});

it('rows that are written and never read leave no keys', async () => {
  expect(await app.cache.run(byId.bind({ id: 2 }))).toBe(2);
  const before = new Set(await keysLike('*'));
  const repository = app.source.getRepository(Bystander);
  await forAll(300, (index) => repository.insert({ id: 700_000 + index }));
  await forAll(100, (index) => repository.delete(700_000 + index));
  const added = (await keysLike('*')).filter((key) => !before.has(key));
  expect(added).toEqual([]);
  expect(await app.cache.run(byId.bind({ id: 700_150 }))).toBe(700_150);
  expect(await app.cache.run(byId.bind({ id: 700_050 }))).toBeNull();
});
