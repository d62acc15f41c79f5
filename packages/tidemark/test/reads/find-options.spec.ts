/** Real: PostgreSQL. Find options send the SQL of TypeORM's own methods, and their answers are cached. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { In, Like, MoreThan, Not, type FindManyOptions, type ObjectLiteral } from 'typeorm';
import { defineQuery, type BoundQuery } from '../../src/index.js';
import { Customer } from '../matrix/fixtures/shop.entities.js';
import { shop } from '../matrix/fixtures/shop.js';
import { isTypeorm03 } from '../support/typeorm-line.js';
import { CachedReads } from './cached-reads.js';
import { Author, Book, Country, Leaflet, LIBRARY } from './fixtures/library.entities.js';

let reads: CachedReads;

beforeAll(async () => {
  reads = await CachedReads.start(
    [...LIBRARY, ...shop.entities],
    [
      "INSERT INTO countries VALUES (1, 'NZ'), (2, 'FR')",
      `INSERT INTO authors (id, name, region, "countryId", "mentorId") VALUES
        (1, 'Ann', 'US', 1, NULL), (2, 'Bob', 'EU', 2, 1), (3, 'Cy', 'US', 2, 1)`,
      `INSERT INTO books (id, title, "authorId") VALUES (1, 'One', 1), (2, 'Two', 1), (3, 'Three', 2)`,
      "INSERT INTO topics VALUES (1, 'sea'), (2, 'sky')",
      'INSERT INTO books_topics VALUES (1, 1), (1, 2), (3, 2)',
      'INSERT INTO leaflets VALUES (1), (2)',
      'INSERT INTO leaflets_topics VALUES (1, 1), (2, 2)',
      `INSERT INTO customers (name, region, version, "deletedAt")
        VALUES ('Di', 'US', 1, NULL), ('Ed', 'US', 1, now())`,
    ],
    {},
    { invalidation: { triggers: 'install' } },
  );
  // Until then the rows above are in doubt.
  for (const entity of [Author, Book, Country, Customer, Leaflet]) {
    await reads.warm(() =>
      reads.app.source.getRepository<ObjectLiteral>(entity).createQueryBuilder(),
    );
  }
});

afterAll(() => reads.stop());

type Entity = new () => ObjectLiteral;
type Options = FindManyOptions<ObjectLiteral>;

const METHODS = {
  many: 'find',
  one: 'findOne',
  count: 'count',
  exists: 'exists',
  'many-and-count': 'findAndCount',
} as const;
type Shape = keyof typeof METHODS;
const SHAPES = Object.keys(METHODS) as Shape[];

const query = (entity: Entity, options: () => Options, shape: Shape): BoundQuery =>
  defineQuery({ name: `found ${shape}`, shape, entity, find: options }).bind(undefined);

/** The statements of the query itself. */
const own = (statements: readonly string[]): string[] =>
  statements.filter((text) => text.includes('SELECT') && !text.includes('pg_'));

const CASES: Readonly<Record<string, [Entity, () => Options]>> = {
  nothing: [Country, () => ({})],
  'conditions and order': [Author, () => ({ where: { region: 'US' }, order: { name: 'DESC' } })],
  operators: [Author, () => ({ where: { region: In(['US', 'EU']), id: MoreThan(1) } })],
  alternatives: [Author, () => ({ where: [{ id: 1 }, { name: Not(Like('A%')) }] })],
  'a condition on a relation': [Book, () => ({ where: { author: { region: 'US' } } })],
  'selected columns': [
    Author,
    () => ({ select: { id: true, name: true }, where: { region: 'US' } }),
  ],
  'no eager relations': [Author, () => ({ loadEagerRelations: false, where: { id: 1 } })],
  'a page': [Country, () => ({ order: { id: 'ASC' }, skip: 1, take: 1 })],
  'joined relations': [
    Author,
    () => ({ where: { id: 1 }, relations: { books: { topics: true } } }),
  ],
  'a page of joined relations': [
    Author,
    () => ({ relations: { books: true }, order: { id: 'ASC' }, take: 2 }),
  ],
  'selected columns of a relation': [
    Book,
    () => ({
      where: { id: 1 },
      select: { id: true, author: { name: true } },
      relations: { author: true },
    }),
  ],
  'relations by separate statements': [
    Author,
    () => ({
      where: { region: 'US' },
      // TypeORM 0.3 joins the table to itself under one name.
      relations: { books: true, mentor: !isTypeorm03 },
      relationLoadStrategy: 'query',
    }),
  ],
  'ids of relations': [Book, () => ({ where: { id: 1 }, loadRelationIds: true })],
  'declared ids of relations': [Leaflet, () => ({ where: { id: 2 } })],
  'no deleted rows': [Customer, () => ({ where: { region: 'US' } })],
  'deleted rows too': [Customer, () => ({ where: { region: 'US' }, withDeleted: true })],
  'a comment': [Country, () => ({ where: { id: 1 }, comment: 'for the menu' })],
  'no row': [Country, () => ({ where: { id: 99 } })],
};

describe.each(Object.entries(CASES))('%s', (_, [entity, options]) => {
  const shapes = SHAPES.filter((shape) => shape !== 'one' || options().where);

  it.each(shapes)('%s: sends the SQL of TypeORM, answers alike, and then hits', async (shape) => {
    const { manager } = reads.app.source;
    const expected = await reads.watch(() => manager[METHODS[shape]](entity, options()));
    const make = (): BoundQuery => query(entity, options, shape);
    const first = await reads.read(make());
    expect(first).toMatchObject({ outcome: 'miss', value: expected.value });
    expect(own(first.statements)).toEqual(own(expected.statements));
    await reads.expectHit(make, expected.value);
  });
});

describe.each(SHAPES)('an answer of shape %s', (shape) => {
  const options = (): Options => ({ where: { region: 'US' }, loadEagerRelations: false });
  const make = (): BoundQuery => query(Author, options, shape);
  const now = (): Promise<unknown> => reads.app.source.manager[METHODS[shape]](Author, options());

  it('is ended by a write in its region, and outlives one in another', async () => {
    const value = await reads.warm(make);
    await reads.write("UPDATE authors SET name = 'Bo' WHERE id = 2");
    await reads.expectHit(make, value);
    await reads.write("INSERT INTO authors (id, name, region) VALUES (9, 'New', 'US')");
    await reads.expectAnew(make, await now());
    await reads.write('DELETE FROM authors WHERE id = 9');
    await reads.warm(make);
    await reads.write("UPDATE authors SET region = 'NZ' WHERE region = 'US'");
    await reads.expectAnew(make, await now());
    await reads.write("UPDATE authors SET region = 'US' WHERE region = 'NZ'");
  });
});

it('a query for one row without a condition is refused, as by findOne', async () => {
  await expect(reads.read(query(Author, () => ({}), 'one'))).rejects.toThrow(
    'A query for one Author needs `where` in its find options.',
  );
});

it('a definition of find options maps the entities that it finds', async () => {
  const names = defineQuery({
    name: 'author names',
    entity: Author,
    find: ({ region }: { region: string }) => ({ where: { region }, order: { id: 'ASC' } }),
    map: ({ name }) => name,
  });
  expect(await reads.warm(() => names.bind({ region: 'US' }))).toEqual(['Ann', 'Cy']);
});
