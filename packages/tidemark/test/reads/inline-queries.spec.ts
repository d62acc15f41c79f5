/** Real: PostgreSQL. Queries written where they are used: they send the SQL of TypeORM's own methods. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EntitySchema, In, MoreThan, type EntityTarget } from 'typeorm';
import {
  asQuery,
  countQuery,
  existsQuery,
  findAndCountQuery,
  findOneQuery,
  findQuery,
  type BoundQuery,
} from '../../src/index.js';
import { outcomesOf } from '../../src/testing/index.js';
import { CachedReads } from './cached-reads.js';
import { Author, Country, LIBRARY } from './fixtures/library.entities.js';

interface Planet {
  id: number;
  name: string;
}

const planets = new EntitySchema<Planet>({
  name: 'Planet',
  tableName: 'planets',
  columns: { id: { type: 'integer', primary: true }, name: { type: 'text' } },
});

let reads: CachedReads;

beforeAll(async () => {
  reads = await CachedReads.start(
    [...LIBRARY, planets],
    [],
    {},
    { invalidation: { triggers: 'install' } },
  );
});

afterAll(() => reads.stop());

beforeEach(async () => {
  await reads.write('TRUNCATE authors, countries, planets CASCADE');
  await reads.write("INSERT INTO countries VALUES (1, 'NZ'), (2, 'FR'), (3, 'PE')");
  await reads.write(
    "INSERT INTO authors (id, name, region) VALUES (1, 'Ann', 'US'), (2, 'Bob', 'EU')",
  );
  await reads.write("INSERT INTO planets VALUES (1, 'Venus')");
  await reads.warm(() => findQuery(Country));
  await reads.warm(() => findQuery(Author));
});

const own = (statements: readonly string[]): string[] =>
  statements.filter((text) => text.startsWith('SELECT') && !text.includes('pg_'));

interface Pair {
  readonly ours: () => Promise<unknown>;
  readonly theirs: () => Promise<unknown>;
}

const some = { where: { id: MoreThan(1) }, order: { id: 'DESC' } } as const;
const paged = { ...some, take: 1 };
const METHODS: Readonly<Record<string, Pair>> = {
  find: {
    ours: () => reads.app.cache.find(Country, some),
    theirs: () => reads.app.source.manager.find(Country, some),
  },
  findBy: {
    ours: () => reads.app.cache.findBy(Country, { id: In([1, 3]) }),
    theirs: () => reads.app.source.manager.findBy(Country, { id: In([1, 3]) }),
  },
  findOne: {
    ours: () => reads.app.cache.findOne(Country, some),
    theirs: () => reads.app.source.manager.findOne(Country, some),
  },
  findOneBy: {
    ours: () => reads.app.cache.findOneBy(Country, { id: 2 }),
    theirs: () => reads.app.source.manager.findOneBy(Country, { id: 2 }),
  },
  findAndCount: {
    ours: () => reads.app.cache.findAndCount(Country, paged),
    theirs: () => reads.app.source.manager.findAndCount(Country, paged),
  },
  count: {
    ours: () => reads.app.cache.count(Country, some),
    theirs: () => reads.app.source.manager.count(Country, some),
  },
  exists: {
    ours: () => reads.app.cache.exists(Country, some),
    theirs: () => reads.app.source.manager.exists(Country, some),
  },
  query: {
    ours: () => reads.app.cache.query('SELECT name FROM countries WHERE id = $1', [2]),
    theirs: () => reads.app.source.query('SELECT name FROM countries WHERE id = $1', [2]),
  },
};

it.each(Object.entries(METHODS))(
  'QueryCache.%s sends the SQL of TypeORM and answers alike, until a write',
  async (_, { ours, theirs }) => {
    const expected = await reads.watch(theirs);
    const missed = await reads.watch(ours);
    expect(missed).toMatchObject({ outcome: 'miss', value: expected.value });
    expect(own(missed.statements)).toEqual(own(expected.statements));
    expect(await reads.watch(ours)).toEqual({
      value: expected.value,
      outcome: 'hit',
      statements: [],
    });
    await reads.write('DELETE FROM countries WHERE id > 1');
    expect((await reads.watch(ours)).value).toEqual(await theirs());
  },
);

describe('the query of a function', () => {
  const QUERIES: Readonly<Record<string, () => BoundQuery>> = {
    'Country.find': () => findQuery(Country, some),
    'Country.findOne': () => findOneQuery(Country, some),
    'Country.findAndCount': () => findAndCountQuery(Country, paged),
    'Country.count': () => countQuery(Country, some),
    'Country.exists': () => existsQuery(Country, some),
  };

  it.each(Object.entries(QUERIES))(
    'has the name %s in events, and an own answer',
    async (name, make) => {
      const outcomes = outcomesOf(reads.app.cache);
      const { value } = await reads.read(make());
      expect(value).toEqual(await METHODS[name.split('.')[1] ?? '']?.theirs());
      await reads.read(make());
      expect(outcomes.of(name)).toEqual(['miss', 'L1']);
      outcomes.stop();
    },
  );

  it('is explained by its SQL', () => {
    expect(reads.app.cache.explain(countQuery(Country, { where: { id: 1 } }))).toMatchObject({
      cacheable: true,
      dependencies: [{ table: 'public.countries' }],
    });
  });

  it('keeps the options of its call', async () => {
    const options = { where: { id: 1 } };
    const query = findQuery(Country, options);
    options.where.id = 2;
    expect((await reads.read(query)).value).toEqual([{ id: 1, name: 'NZ' }]);
  });
});

const TARGETS: Readonly<Record<string, EntityTarget<Planet>>> = {
  'an entity schema': planets,
  'a name': 'Planet',
};

it.each(Object.entries(TARGETS))('an entity may be given as %s', async (_, target) => {
  const outcomes = outcomesOf(reads.app.cache);
  const make = (): BoundQuery => findQuery(target, { where: { id: 1 } });
  expect(await reads.warm(make)).toEqual([{ id: 1, name: 'Venus' }]);
  expect(outcomes.of('Planet.find')).toContain('L1');
  outcomes.stop();
});

describe('an inline map', () => {
  it('runs for each caller, on a copy, and is not stored', async () => {
    const greet = (greeting: string): Promise<string[]> =>
      reads.app.cache.find(
        Author,
        { order: { id: 'ASC' } },
        {
          map: (author) => {
            author.name = `${greeting} ${author.name}`;
            return author.name;
          },
        },
      );
    expect(await greet('Hello')).toEqual(['Hello Ann', 'Hello Bob']);
    expect(await reads.watch(() => greet('Bye'))).toEqual({
      value: ['Bye Ann', 'Bye Bob'],
      outcome: 'hit',
      statements: [],
    });
  });

  it('maps one row, a page and rows of SQL, and leaves an absent row absent', async () => {
    const { cache } = reads.app;
    const map = ({ name }: Country): string => name;
    expect(await cache.findOneBy(Country, { id: 1 }, { map })).toBe('NZ');
    expect(await cache.findOneBy(Country, { id: 9 }, { map })).toBeNull();
    expect(await cache.findAndCount(Country, { where: { id: 1 } }, { map })).toEqual([['NZ'], 1]);
    expect(
      await cache.query('SELECT id FROM countries ORDER BY id', [], {
        map: ({ id }: { id: number }) => id,
      }),
    ).toEqual([1, 2, 3]);
  });
});

it('a query with the manager of a transaction sees its writes, past the cache', async () => {
  const { cache, source } = reads.app;
  await reads.warm(() => countQuery(Country));
  await source.transaction(async (manager) => {
    await manager.delete(Country, 1);
    const count = (): Promise<number> => cache.count(Country, {}, { manager });
    expect(await reads.watch(count)).toMatchObject({ value: 2, outcome: 'bypass' });
    const rows = (): Promise<unknown> => cache.query('SELECT id FROM countries', [], { manager });
    expect((await reads.watch(rows)).value).toHaveLength(2);
    expect(await reads.watch(() => cache.count(Country))).toMatchObject({
      value: 3,
      outcome: 'hit',
    });
  });
  expect(await cache.count(Country)).toBe(2);
});

describe('a builder with another shape than `many`', () => {
  const builder = () =>
    reads.app.source.getRepository(Author).createQueryBuilder('a').where("a.region = 'US'");
  const SHAPED: Readonly<Record<string, [() => BoundQuery, () => Promise<unknown>]>> = {
    one: [() => asQuery(builder(), { shape: 'one' }), () => builder().getOne()],
    raw: [() => asQuery(builder(), { shape: 'raw' }), () => builder().getRawMany()],
    count: [() => asQuery(builder(), { shape: 'count' }), () => builder().getCount()],
    exists: [() => asQuery(builder(), { shape: 'exists' }), () => builder().getExists()],
    'many-and-count': [
      () => asQuery(builder(), { shape: 'many-and-count' }),
      () => builder().getManyAndCount(),
    ],
  };

  it.each(Object.entries(SHAPED))('%s: is answered as by TypeORM', async (_, [make, theirs]) => {
    expect(await reads.warm(make)).toEqual(await theirs());
    await reads.write("UPDATE authors SET name = 'Bo' WHERE id = 2");
    await reads.expectHit(make, await theirs());
    await reads.write("UPDATE authors SET region = 'EU' WHERE id = 1");
    await reads.expectAnew(make, await theirs());
  });

  it('keeps the builder of its call, and leaves it unchanged', async () => {
    const changed = builder();
    const query = asQuery(changed, { shape: 'count' });
    changed.where('1 = 0');
    const sql = changed.getQuery();
    expect((await reads.read(query)).value).toBe(1);
    expect(changed.getQuery()).toBe(sql);
  });
});
