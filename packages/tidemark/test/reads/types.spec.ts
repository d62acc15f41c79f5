/** `QueryCache.run` gives the same values, types included, from the database, from L1 and from L2. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Redis } from 'ioredis';
import { defineQuery, type BoundQuery } from '../../src/index.js';
import { CachedApplication } from '../support/cached-application.js';
import { eventually } from '../../../../test/support/eventually.js';
import { RedisServer } from '../../../../test/support/redis-server.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { StatementCounter } from '../support/statement-counter.js';
import { Specimen } from '../fixtures/entities.js';

const specimens = defineQuery({
  name: 'specimens',
  build: (source, _: Record<string, never>) =>
    source.getRepository(Specimen).createQueryBuilder('s').orderBy('s.id'),
}).bind({});

const mapped = defineQuery({
  name: 'specimens.mapped',
  build: (source, _: Record<string, never>) =>
    source.getRepository(Specimen).createQueryBuilder('s').orderBy('s.id'),
  map: ({ id, seenAt }: Specimen) => ({ id: BigInt(id), seenAt, nothing: undefined }),
}).bind({});

const raw = defineQuery({
  name: 'specimens.raw',
  shape: 'raw',
  build: (source, _: Record<string, never>) =>
    source
      .getRepository(Specimen)
      .createQueryBuilder('s')
      .select('s.seenAt', 'seenAt')
      .addSelect('s.picture', 'picture')
      .addSelect('SUM(s.weight)', 'weight')
      .groupBy('s.id'),
}).bind({});

const one = defineQuery({
  name: 'specimens.one',
  shape: 'one',
  build: (source, { id }: { id: string }) =>
    source.getRepository(Specimen).createQueryBuilder('s').where('s.id = :id', { id }),
});

const count = defineQuery({
  name: 'specimens.count',
  shape: 'count',
  build: (source, _: Record<string, never>) =>
    source.getRepository(Specimen).createQueryBuilder('s'),
}).bind({});

const queries: Record<string, BoundQuery> = {
  entities: specimens,
  'mapped rows': mapped,
  'raw rows': raw,
  'one entity': one.bind({ id: '9007199254740993' }),
  'no entity': one.bind({ id: '4' }),
  'a count': count,
};

let redis: RedisServer;
let keys: Redis;
let first: CachedApplication;
let second: CachedApplication;
let sql: StatementCounter;

beforeAll(async () => {
  redis = await RedisServer.start();
  keys = new Redis(redis.url);
  const options = {
    databaseUrl: await createDatabase(),
    entities: [Specimen],
    cache: { redis: { url: redis.url } },
  };
  first = await CachedApplication.start({ ...options, synchronize: true });
  second = await CachedApplication.start(options);
  sql = StatementCounter.attach(first.source);
  await first.source.getRepository(Specimen).insert({
    id: '9007199254740993',
    seenAt: new Date('2026-03-04T05:06:07.089Z'),
    day: '2026-03-04',
    weight: '12345678901234567890.0123456789',
    picture: Buffer.from([0, 1, 254, 255]),
    notes: { _date_: '_date_2020-01-01T00:00:00Z', list: [1, null, { deep: true }] },
    size: 0.1,
    tags: ['a', 'b"c'],
    remark: null,
  });
  // Until the writes before the start are published, an application queries the database in the background.
  for (const app of [first, second]) await untilHit(app);
});

afterAll(async () => {
  sql.detach();
  await first.stop();
  await second.stop();
  keys.disconnect();
  await redis.stop();
});

async function untilHit(app: CachedApplication): Promise<void> {
  await eventually(async () => {
    expect((await app.observe(() => app.cache.run(specimens))).outcomes).toEqual(['hit']);
  });
}

/** A fill gives its lock back once its entry is in Redis. */
async function untilStored(): Promise<void> {
  await eventually(async () => {
    const [, locks] = await keys.scan(0, 'MATCH', 'tidemark:f:*', 'COUNT', 10_000);
    expect(locks).toEqual([]);
  });
}

describe.each(Object.entries(queries))('%s', (_name, query) => {
  it('are equal from the database, from L1 and from L2', async () => {
    const fromDatabase: unknown = await first.cache.run(query);
    await eventually(async () => {
      expect((await first.observe(() => first.cache.run(query))).outcomes).toEqual(['hit']);
    });
    sql.reset();
    const l1 = await first.observe(() => first.cache.run(query));
    expect(l1.outcomes).toEqual(['hit']);
    expect(l1.value).toStrictEqual(fromDatabase);
    await untilStored();
    const l2 = await second.observe(() => second.cache.run(query));
    expect(l2.outcomes).toEqual(['hit']);
    expect(l2.value).toStrictEqual(fromDatabase);
    expect(sql.statements).toEqual([]);
  });
});

it('gives every caller separate values', async () => {
  const [mine] = await first.cache.run(specimens);
  if (!mine) throw new Error('The specimen is missing.');
  mine.remark = 'scribbled over';
  const [theirs] = await first.cache.run(specimens);
  expect(theirs?.remark).toBeNull();
  expect(theirs).toBeInstanceOf(Specimen);
});

it('accepts a plain query builder, and does not change it', async () => {
  const builder = first.source.getRepository(Specimen).createQueryBuilder('s').where('s.size < 1');
  const before = builder.getQuery();
  const rows = await first.cache.run(builder);
  expect(rows).toHaveLength(1);
  await eventually(async () => {
    expect((await first.observe(() => first.cache.run(builder))).outcomes).toEqual(['hit']);
  });
  expect(builder.getQuery()).toBe(before);
});

it("hides a caller's changes to the bytes of an answer from the next caller", async () => {
  const [mine] = await first.cache.run(specimens);
  mine?.picture.fill(9);
  const [theirs] = await first.cache.run(specimens);
  expect(theirs?.picture).toEqual(Buffer.from([0, 1, 254, 255]));
});

it('distinguishes joins with the same SQL and different properties', async () => {
  const builder = () => first.source.getRepository(Specimen).createQueryBuilder('s');
  const joined = () => builder().where('s.size < 2');
  const asOne = joined().leftJoinAndMapOne('s.twin', Specimen, 't', 't.id = s.id');
  const asMany = joined().leftJoinAndMapMany('s.twins', Specimen, 't', 't.id = s.id');
  expect(asOne.getQuery()).toBe(asMany.getQuery());
  expect(await first.cache.run(asOne)).toMatchObject([{ twin: { size: 0.1 } }]);
  expect(await first.cache.run(asMany)).toMatchObject([{ twins: [{ size: 0.1 }] }]);
});

it.each<[string, () => object]>([
  ['a Date', () => new (class Day extends Date {})(0)],
  ['an Array', () => class Rows extends Array<number> {}.of(1)],
  ['a Buffer', () => Object.setPrototypeOf(Buffer.from('a'), Object.create(Buffer.prototype))],
  ['an object with a hidden field', () => Object.defineProperty({}, 'a', { value: 1 })],
  ['a class that is no entity', () => new (class Money {})()],
])('answers a subclass of %s, and does not store it', async (kind, make) => {
  const made: object[] = [];
  const query = defineQuery({
    name: `specimens.${kind}`,
    build: (source, _: object) => source.getRepository(Specimen).createQueryBuilder('s'),
    map: () => made.at(-1),
  });
  const details: unknown[] = [];
  const onBypass = ({ detail }: { detail: unknown }): unknown => details.push(detail);
  first.cache.events.on('bypass', onBypass);
  try {
    for (let times = 0; times < 3; times += 1) {
      made.push(make());
      sql.reset();
      const [value] = await first.cache.run(query.bind({}));
      expect(value).toBe(made.at(-1));
      expect(sql.selectsFrom('specimens')).toHaveLength(1);
    }
    expect(details).toEqual(['value-type', 'value-type', 'value-type']);
  } finally {
    first.cache.events.off('bypass', onBypass);
  }
});
