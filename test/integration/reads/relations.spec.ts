/** Real: PostgreSQL. Queries whose relations TypeORM loads by further statements are answered and not cached. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { FindManyOptions, ObjectLiteral, SelectQueryBuilder } from 'typeorm';
import { CachedReads } from './cached-reads.js';
import { Author, Book, Leaflet, LIBRARY, Loan, Topic } from './fixtures/library.entities.js';

let reads: CachedReads;

beforeAll(async () => {
  reads = await CachedReads.start(LIBRARY, [], {}, { invalidation: { triggers: 'install' } });
  await reads.write("INSERT INTO countries VALUES (1, 'NZ'), (2, 'FR')");
  await reads.write(`INSERT INTO authors (id, name, region, "countryId", "mentorId") VALUES
    (1, 'Ann', 'US', 1, NULL), (2, 'Bob', 'EU', 2, 1), (3, 'Cy', 'US', 2, 1)`);
  await reads.write(`INSERT INTO books (id, title, "authorId") VALUES
    (1, 'One', 1), (2, 'Two', 1), (3, 'Three', 2)`);
  await reads.write("INSERT INTO topics VALUES (1, 'sea'), (2, 'sky')");
  await reads.write('INSERT INTO books_topics VALUES (1, 1), (1, 2), (3, 2)');
  await reads.write('INSERT INTO leaflets VALUES (1), (2)');
  await reads.write('INSERT INTO leaflets_topics VALUES (1, 1), (2, 2)');
  await reads.write('INSERT INTO loans VALUES (1, 1)');
});

afterAll(() => reads.stop());

const authors = (options: FindManyOptions<Author>) => () =>
  reads.app.source
    .getRepository(Author)
    .createQueryBuilder('Author')
    .setFindOptions({ relationLoadStrategy: 'query', order: { id: 'ASC' }, ...options });
const books = (options: FindManyOptions<Book>) => () =>
  reads.app.source
    .getRepository(Book)
    .createQueryBuilder('Book')
    .setFindOptions({ relationLoadStrategy: 'query', order: { id: 'ASC' }, ...options });

const CASES: Record<string, () => SelectQueryBuilder<ObjectLiteral>> = {
  'one to many': authors({ where: { region: 'US' }, relations: { books: true } }),
  'many to one, with what is eager behind it': books({ relations: { author: true } }),
  'many to many': books({ relations: { topics: true } }),
  nested: authors({ where: { id: 1 }, relations: { books: { topics: true } } }),
  'to the same table': authors({ where: { region: 'EU' }, relations: { mentor: true } }),
  'ids of relations': books({ relationLoadStrategy: 'join', loadRelationIds: true }),
  'ids of one to many': authors({
    where: { id: 1 },
    relationLoadStrategy: 'join',
    loadEagerRelations: false,
    loadRelationIds: { relations: ['books'], disableMixedMap: true },
  }),
  'ids in a property': () =>
    reads.app.source
      .getRepository(Book)
      .createQueryBuilder('b')
      .loadRelationIdAndMap('b.one', 'b.topics'),
  'ids that an entity declares': () =>
    reads.app.source.getRepository(Leaflet).createQueryBuilder('l').orderBy('l.id'),
  'ids that a joined entity declares': () =>
    reads.app.source
      .getRepository(Topic)
      .createQueryBuilder('t')
      .leftJoinAndMapOne('t.leaflet', Leaflet, 'l', 'l.id = t.id'),
};

it.each(Object.entries(CASES))('%s', async (_name, make) => {
  const expected = await make().getMany();
  expect(expected).not.toEqual([]);
  expect(await reads.expectRefused(make, 'separate-statements')).toEqual(expected);
});

it('eager relations that are joined are cached', async () => {
  const joined = books({ relationLoadStrategy: 'join', relations: { author: true } });
  const [first] = (await reads.warm(joined)) as Book[];
  expect(first).toMatchObject({ author: { name: 'Ann', country: { name: 'NZ' } } });
  await reads.write("UPDATE countries SET name = 'Aotearoa' WHERE id = 1");
  await reads.expectAnew(joined, await joined().getMany());
});

describe('lazy relations', () => {
  it('are never stored with an entity', async () => {
    const loans = () => reads.app.source.getRepository(Loan).createQueryBuilder('l');
    const [loan] = (await reads.expectRefused(loans, 'lazy-relations')) as Loan[];
    expect(await loan?.book).toMatchObject({ title: 'One' });
  });
});
