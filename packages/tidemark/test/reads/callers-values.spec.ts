/**
 * Real: PostgreSQL. Parameters, builders and their objects may change while a query is under way: the answer and the
 * entry are those of the values at the call.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { In, type DataSource, type SelectQueryBuilder } from 'typeorm';
import { defineQuery } from '../../src/index.js';
import type { CacheableQuery } from '../../src/typeorm/queries/compiled-query.js';
import { CachedReads } from './cached-reads.js';
import { Author, Country, LIBRARY } from './fixtures/library.entities.js';

let reads: CachedReads;

beforeAll(async () => {
  reads = await CachedReads.start(LIBRARY, [
    `INSERT INTO countries SELECT n, 'country ' || n FROM generate_series(1, 9) AS n`,
    `INSERT INTO authors (id, name, region, "countryId") VALUES (1, 'A', 'X', 1), (2, 'B', 'X', 2)`,
  ]);
});

afterAll(() => reads.stop());

const countries = (source: DataSource): SelectQueryBuilder<Country> =>
  source.getRepository(Country).createQueryBuilder('c').orderBy('c.id');
const run = (query: CacheableQuery): Promise<unknown> => reads.app.cache.run(query as never);

const endAnswers = (): Promise<void> => reads.write("UPDATE countries SET name = name || '.'");

const byId = defineQuery({
  name: 'callers.by-id',
  build: (source, { id }: { id: number }) => countries(source).where('c.id = :id', { id }),
  map: ({ id }: Country) => id,
});
const byIds = defineQuery({
  name: 'callers.by-ids',
  build: (source, { ids }: { ids: number[] }) =>
    countries(source).where('c.id = ANY(:ids)', { ids: ids.sort() }),
  map: ({ id }: Country) => id,
});

it('answers for each value of a reused object', async () => {
  const ids = [1, 2, 3, 4, 5];
  for (let times = 0; times < 4; times += 1) {
    // Cached plans run again with these values.
    await endAnswers();
    const parameters = { id: 0 };
    const answers = ids.map((id) => {
      parameters.id = id;
      return run(byId.bind(parameters));
    });
    answers.push(...ids.map((id) => run(byId.bind({ id }))));
    expect(await Promise.all(answers)).toEqual([...ids, ...ids].map((id) => [id]));
  }
  expect(await reads.warm(() => byId.bind({ id: 3 }))).toEqual([3]);
});

it('does not store the rows of a changed list under its old key', async () => {
  const ids = [1, 2];
  const bound = byIds.bind({ ids });
  const answer = run(bound);
  ids[0] = 7;
  expect(await answer).toEqual([1, 2]);
  await reads.warm(() => byIds.bind({ ids: [1, 2] }));
  await reads.expectHit(() => bound, [1, 2]);
  // Filled again by a cached plan.
  await reads.write(`UPDATE countries SET name = 'changed' WHERE id = 1`);
  await reads.expectAnew(() => bound, [1, 2]);
  expect(ids).toEqual([7, 2]);
});

class Page {
  number = 1;
  get id(): number {
    return this.number;
  }
}

interface Case {
  readonly made: object;
  readonly change: () => void;
  readonly id: (made: object) => number;
}

function changing<T extends object>(
  made: T,
  change: (made: T) => unknown,
  id: (made: T) => number | undefined,
): Case {
  return { made, change: () => void change(made), id: id as Case['id'] };
}

describe('parameters that are changed after the call', () => {
  const cases: Record<string, () => Case> = {
    'a nested object': () =>
      changing(
        { a: { b: [1] } },
        (p) => p.a.b.fill(2),
        (p) => p.a.b[0],
      ),
    'a date': () =>
      changing(
        { at: new Date(1) },
        ({ at }) => at.setTime(2),
        ({ at }) => at.getTime(),
      ),
    bytes: () =>
      changing(
        { b: Buffer.from([1]) },
        ({ b }) => b.fill(2),
        ({ b }) => b[0],
      ),
    numbers: () =>
      changing(
        { n: new Int32Array([1]) },
        ({ n }) => n.fill(2),
        ({ n }) => n[0],
      ),
    'a map': () =>
      changing(
        { m: new Map([[0, 1]]) },
        ({ m }) => m.set(0, 2),
        ({ m }) => m.get(0),
      ),
    'a set': () =>
      changing(
        { s: new Set([1]) },
        ({ s }) => s.clear(),
        ({ s }) => [...s][0] ?? 2,
      ),
    'an instance with methods': () =>
      changing(
        new Page(),
        (p) => (p.number = 2),
        (p) => p.id,
      ),
    'a function': () => {
      let id = 1;
      return changing(
        { id: () => id },
        () => (id = 2),
        (p) => p.id(),
      );
    },
  };

  it.each(Object.entries(cases))('%s', async (name, make) => {
    const { id: idOf } = make();
    const query = defineQuery({
      name: `callers.${name}`,
      build: (source, made: object) => countries(source).where('c.id = :id', { id: idOf(made) }),
      map: ({ id }: Country) => id,
    });
    for (let times = 0; times < 4; times += 1) {
      await endAnswers();
      const parameters = make();
      const answer = run(query.bind(parameters.made));
      parameters.change();
      expect(await answer).toEqual([1]);
    }
    const changed = make();
    changed.change();
    expect(await run(query.bind(changed.made))).toEqual([2]);
    expect(await reads.warm(() => query.bind(make().made))).toEqual([1]);
  });
});

describe('a builder that is changed after the call', () => {
  const ids = (): number[] => [1, 2];
  it.each<
    [string, () => SelectQueryBuilder<Country>, (builder: SelectQueryBuilder<Country>) => unknown]
  >([
    [
      'by setParameter',
      () => countries(reads.app.source).where('c.id <= :id', { id: 2 }),
      (builder) => builder.setParameter('id', 5),
    ],
    [
      'by andWhere',
      () => countries(reads.app.source).where('c.id <= 2'),
      (builder) => builder.andWhere('c.id = 1').limit(1),
    ],
    [
      'in a list',
      () => countries(reads.app.source).where('c.id = ANY(:ids)', { ids: ids() }),
      (builder) => (builder.getParameters() as { ids: number[] }).ids.fill(9),
    ],
    [
      'in a list that is spread',
      () => countries(reads.app.source).where('c.id IN (:...ids)', { ids: ids() }),
      (builder) => (builder.getParameters() as { ids: number[] }).ids.push(9),
    ],
    [
      'in a common table expression',
      () => {
        const inner = countries(reads.app.source)
          .select('c.id')
          .where('c.id = ANY(:ids)', { ids: ids() });
        return countries(reads.app.source)
          .addCommonTableExpression(inner, 'x')
          .where('c.id IN (SELECT "c_id" FROM x)');
      },
      (builder) => {
        const [{ queryBuilder }] = builder.expressionMap.commonTableExpressions as unknown as [
          { queryBuilder: typeof builder },
        ];
        queryBuilder.andWhere('c.id = 1').getParameters()['ids'].fill(9);
      },
    ],
  ])('%s', async (_, make, change) => {
    for (let times = 0; times < 3; times += 1) {
      const builder = make();
      const answer = run(builder);
      change(builder);
      expect(await answer).toMatchObject([{ id: 1 }, { id: 2 }]);
    }
    expect(await reads.read(make())).toMatchObject({ outcome: 'hit', statements: [] });
  });

  it('by another selection, options or find options', async () => {
    const authors = reads.app.source.getRepository(Author);
    const joined = authors.createQueryBuilder('a').leftJoin('a.country', 'c').where('a.id = 1');
    const whole = run(joined);
    joined.addSelect('c');
    expect(await whole).toEqual([{ id: 1, name: 'A', region: 'X' }]);

    const relations = { country: true, books: true };
    const where = { id: In([2]) };
    const found = authors
      .createQueryBuilder('a')
      .setFindOptions({ where, relations, relationLoadStrategy: 'query' });
    const answer = run(found);
    Object.assign(relations, { country: false, books: { author: true } });
    expect(await answer).toMatchObject([{ id: 2, country: { id: 2 }, books: [] }]);

    const plain = countries(reads.app.source).where('c.id = 1').setOption('create-pojo');
    const [row] = (await run(plain)) as [unknown];
    expect(row).not.toBeInstanceOf(Country);
  });
});
