/**
 * Random sequences of writes, moves, deletes, rollbacks and reads over two instances on one
 * database and one Redis, against a plain model: no read may differ from it.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import fc from 'fast-check';
import type { EntityManager } from 'typeorm';
import { defineQuery } from '../../src/index.js';
import { CachedApplication } from '../support/cached-application.js';
import { RedisServer } from '../../../../test/support/redis-server.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { Customer } from '../fixtures/entities.js';

const REGIONS = ['US', 'EU', 'APAC'] as const;
const IDS = [1, 2, 3, 4, 5, 6] as const;
type RegionName = (typeof REGIONS)[number];

/** Region and visits by id: all that the queries below see. */
type Model = Map<number, { region: RegionName; visits: number }>;

type Change =
  | { kind: 'create'; id: number; region: RegionName }
  | { kind: 'visit'; id: number }
  | { kind: 'move'; id: number; to: RegionName }
  | { kind: 'moveAll'; from: RegionName; to: RegionName }
  | { kind: 'delete'; id: number };

type Step =
  | { kind: 'write'; instance: 0 | 1; changes: Change[]; commit: boolean }
  | { kind: 'list'; instance: 0 | 1; region: RegionName }
  | { kind: 'one'; instance: 0 | 1; id: number }
  | { kind: 'count'; instance: 0 | 1 };

const listOf = defineQuery({
  name: 'model.list',
  build: (source, { region }: { region: string }) =>
    source
      .getRepository(Customer)
      .createQueryBuilder('c')
      .where('c.region = :region', { region })
      .orderBy('c.id'),
  map: ({ id, visits }: Customer) => `${id}:${visits}`,
});
const oneOf = defineQuery({
  name: 'model.one',
  shape: 'one',
  build: (source, { id }: { id: number }) =>
    source.getRepository(Customer).createQueryBuilder('c').where('c.id = :id', { id }),
  map: ({ id, region, visits }: Customer) => `${id}:${region}:${visits}`,
});
const countOf = defineQuery({
  name: 'model.count',
  shape: 'count',
  build: (source, _: Record<string, never>) =>
    source.getRepository(Customer).createQueryBuilder('c'),
});

const instance = fc.constantFrom(0 as const, 1 as const);
const id = fc.constantFrom(...IDS);
const region = fc.constantFrom(...REGIONS);
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ kind: fc.constant('create' as const), id, region }),
  fc.record({ kind: fc.constant('visit' as const), id }),
  fc.record({ kind: fc.constant('move' as const), id, to: region }),
  fc.record({ kind: fc.constant('moveAll' as const), from: region, to: region }),
  fc.record({ kind: fc.constant('delete' as const), id }),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('write' as const),
      instance,
      changes: fc.array(change, { minLength: 1, maxLength: 3 }),
      commit: fc.boolean(),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('list' as const), instance, region }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('one' as const), instance, id }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('count' as const), instance }) },
);

let redis: RedisServer;
let instances: [CachedApplication, CachedApplication];

beforeAll(async () => {
  redis = await RedisServer.start();
  const options = {
    databaseUrl: await createDatabase(),
    entities: [Customer],
    cache: { redis: { url: redis.url } },
  };
  const first = await CachedApplication.start({ ...options, synchronize: true });
  instances = [first, await CachedApplication.start(options)];
});

afterAll(async () => {
  for (const application of instances) await application.stop();
  await redis.stop();
});

/** Makes the change in the database, past entities and through them. */
async function write(manager: EntityManager, made: Change): Promise<void> {
  switch (made.kind) {
    case 'create':
      await manager.query(
        'INSERT INTO customers (id, name, region) OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3)',
        [made.id, `customer ${made.id}`, made.region],
      );
      return;
    case 'visit':
      await manager.increment(Customer, { id: made.id }, 'visits', 1);
      return;
    case 'move': {
      const customer = await manager.findOneByOrFail(Customer, { id: made.id });
      customer.region = made.to;
      await manager.save(customer);
      return;
    }
    case 'moveAll':
      await manager.update(Customer, { region: made.from }, { region: made.to });
      return;
    case 'delete':
      await manager.delete(Customer, made.id);
  }
}

/** Makes the same change in the model; `false` where the database has no such row, or has it. */
function apply(model: Model, made: Change): boolean {
  if (made.kind === 'moveAll') {
    for (const row of model.values()) if (row.region === made.from) row.region = made.to;
    return true;
  }
  const row = model.get(made.id);
  if (made.kind === 'create') {
    if (!row) model.set(made.id, { region: made.region, visits: 0 });
    return !row;
  }
  if (!row) return false;
  if (made.kind === 'visit') row.visits += 1;
  if (made.kind === 'move') row.region = made.to;
  if (made.kind === 'delete') model.delete(made.id);
  return true;
}

async function run(model: Model, made: Step): Promise<Model> {
  const application = instances[made.instance];
  switch (made.kind) {
    case 'write': {
      const after: Model = structuredClone(model);
      const possible = made.changes.filter((one) => apply(after, one));
      await application.source
        .transaction(async (manager) => {
          for (const one of possible) await write(manager, one);
          if (!made.commit) throw new Error('rolled back on purpose');
        })
        .catch((error: unknown) => {
          if (made.commit) throw error;
        });
      return made.commit ? after : model;
    }
    case 'list': {
      const rows = [...model].filter(([, row]) => row.region === made.region);
      expect(await application.cache.run(listOf.bind({ region: made.region }))).toEqual(
        rows.sort(([a], [b]) => a - b).map(([key, row]) => `${key}:${row.visits}`),
      );
      return model;
    }
    case 'one': {
      const row = model.get(made.id);
      expect(await application.cache.run(oneOf.bind({ id: made.id }))).toBe(
        row ? `${made.id}:${row.region}:${row.visits}` : null,
      );
      return model;
    }
    case 'count':
      expect(await application.cache.run(countOf.bind({}))).toBe(model.size);
      return model;
  }
}

describe('two instances against a model', () => {
  it('never differ from it, whatever is written, moved, deleted and rolled back', async () => {
    const outcomes = { hit: 0, miss: 0, bypass: 0 };
    for (const { cache } of instances) {
      cache.events.on('hit', () => (outcomes.hit += 1));
      cache.events.on('miss', () => (outcomes.miss += 1));
      cache.events.on('bypass', () => (outcomes.bypass += 1));
    }
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
        await instances[0].source.query('TRUNCATE customers');
        let model: Model = new Map();
        for (const made of steps) model = await run(model, made);
      }),
      { numRuns: 40, endOnFailure: false },
    );
    // The runs mean something only if the cache took part.
    expect(outcomes.hit).toBeGreaterThan(100);
    expect(outcomes.miss).toBeGreaterThan(100);
  });
});
