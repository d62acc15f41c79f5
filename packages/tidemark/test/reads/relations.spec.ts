/** Real: PostgreSQL. Relations that TypeORM loads by separate statements. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FindManyOptions, SelectQueryBuilder } from 'typeorm';
import { isTypeorm03, itOnTypeorm03 } from '../support/typeorm-line.js';
import { CachedReads } from './cached-reads.js';
import { Author, Book, Leaflet, LIBRARY, Loan } from './fixtures/library.entities.js';

let reads: CachedReads;

beforeAll(async () => {
  reads = await CachedReads.start(LIBRARY, [], {}, { invalidation: { triggers: 'install' } });
});

afterAll(() => reads.stop());

async function restore(): Promise<void> {
  for (const table of ['loans', 'leaflets_topics', 'leaflets', 'books_topics', 'books']) {
    await reads.write(`DELETE FROM ${table}`);
  }
  for (const table of ['topics', 'authors', 'countries']) await reads.write(`DELETE FROM ${table}`);
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
}

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

type Make = ReturnType<typeof authors> | ReturnType<typeof books>;
/** TypeORM 0.3. */
interface CountsRelations {
  loadRelationCountAndMap(property: string, relation: string): SelectQueryBuilder<Author>;
}
interface Case {
  readonly make: Make;
  /** Writes of which each must end the answer. */
  readonly ends: readonly string[];
  readonly leaves: readonly string[];
}

const FURNITURE = 'INSERT INTO furniture SELECT coalesce(max(id), 0) + 1 FROM furniture';

const CASES: Record<string, Case> = {
  'one to many': {
    make: authors({ where: { region: 'US' }, relations: { books: true } }),
    ends: [
      "UPDATE books SET title = 'Deux' WHERE id = 2",
      'INSERT INTO books (id, title, "authorId") VALUES (9, \'New\', 3)',
      "UPDATE authors SET name = 'Anne' WHERE id = 1",
      "UPDATE countries SET name = 'Aotearoa' WHERE id = 1",
    ],
    leaves: [FURNITURE, "UPDATE authors SET name = 'Rob' WHERE id = 2"],
  },
  'many to one, with what is eager behind it': {
    make: books({ where: { id: 1 }, relations: { author: true } }),
    ends: [
      "UPDATE authors SET name = 'Anne' WHERE id = 1",
      "UPDATE countries SET name = 'Aotearoa' WHERE id = 1",
      'UPDATE books SET "authorId" = 2 WHERE id = 1',
    ],
    leaves: [FURNITURE, "UPDATE books SET title = 'Deux' WHERE id = 2"],
  },
  'many to many': {
    make: books({ relations: { topics: true } }),
    ends: [
      'INSERT INTO books_topics VALUES (2, 1)',
      'DELETE FROM books_topics WHERE "booksId" = 1 AND "topicsId" = 2',
      "UPDATE topics SET name = 'ocean' WHERE id = 1",
    ],
    leaves: [FURNITURE, "UPDATE authors SET name = 'Anne' WHERE id = 1"],
  },
  nested: {
    make: authors({ where: { id: 1 }, relations: { books: { topics: true } } }),
    ends: [
      'INSERT INTO books_topics VALUES (2, 1)',
      "UPDATE topics SET name = 'ocean' WHERE id = 1",
      "UPDATE books SET title = 'Deux' WHERE id = 2",
    ],
    leaves: [FURNITURE, "UPDATE authors SET name = 'Rob' WHERE id = 2"],
  },
  'to the same table': {
    make: authors({ where: { region: 'EU' }, relations: { mentor: true } }),
    ends: ["UPDATE authors SET name = 'Anne' WHERE id = 1"],
    leaves: [FURNITURE],
  },
  'ids of relations': {
    make: books({ relationLoadStrategy: 'join', loadRelationIds: true }),
    ends: [
      'INSERT INTO books_topics VALUES (2, 1)',
      'UPDATE books SET "authorId" = 2 WHERE id = 1',
    ],
    leaves: [FURNITURE, "UPDATE authors SET name = 'Anne' WHERE id = 1"],
  },
  'ids of one to many': {
    make: authors({
      where: { id: 1 },
      relationLoadStrategy: 'join',
      loadEagerRelations: false,
      loadRelationIds: { relations: ['books'], disableMixedMap: true },
    }),
    ends: ['UPDATE books SET "authorId" = 2 WHERE id = 1'],
    leaves: [FURNITURE, "UPDATE topics SET name = 'ocean' WHERE id = 1"],
  },
};

/** TypeORM 0.3 sends SQL that PostgreSQL refuses: it joins the table to itself under one name. */
const FAILS_ON_TYPEORM_03 = 'to the same table';
const cases = Object.entries(CASES).filter(
  ([name]) => !isTypeorm03 || name !== FAILS_ON_TYPEORM_03,
);

describe.each(cases)('%s', (_name, { make, ends, leaves }) => {
  beforeAll(restore);

  it.each(ends)('is ended by %s', async (statement) => {
    await restore();
    await reads.warm(make);
    await reads.write(statement);
    await reads.expectAnew(make, await make().getMany());
  });

  it.each(leaves)('outlives %s', async (statement) => {
    const value = await reads.warm(make);
    expect(value).not.toEqual([]);
    await reads.write(statement);
    await reads.expectHit(make, value);
  });
});

describe('the key', () => {
  beforeAll(restore);

  it('distinguishes relations that the SQL does not name', async () => {
    const plain = authors({ where: { id: 1 }, loadEagerRelations: false });
    const loaded = authors({
      where: { id: 1 },
      loadEagerRelations: false,
      relations: { books: true },
    });
    expect(loaded().getQuery()).toBe(plain().getQuery());
    expect(await reads.warm(plain)).toEqual([{ id: 1, name: 'Ann', region: 'US' }]);
    expect(await reads.warm(loaded)).toMatchObject([{ books: [{ id: 1 }, { id: 2 }] }]);
    expect(await reads.warm(plain)).toEqual([{ id: 1, name: 'Ann', region: 'US' }]);
  });

  itOnTypeorm03('refuses counts of relations, which the SQL does not name', async () => {
    const plain = authors({ where: { id: 1 }, loadEagerRelations: false });
    const counted = (): SelectQueryBuilder<Author> =>
      (plain() as unknown as CountsRelations).loadRelationCountAndMap(
        'Author.total',
        'Author.books',
      );
    expect(counted().getQuery()).toBe(plain().getQuery());
    await reads.warm(plain);
    expect(await reads.expectRefused(counted, 'separate-statements')).toMatchObject([{ total: 2 }]);
  });

  it('distinguishes the properties of ids', async () => {
    const into = (property: string) => () =>
      reads.app.source
        .getRepository(Book)
        .createQueryBuilder('b')
        .where('b.id = 1')
        .loadRelationIdAndMap(`b.${property}`, 'b.topics');
    expect(into('one')().getQuery()).toBe(into('two')().getQuery());
    expect(await reads.warm(into('one'))).toMatchObject([{ one: [1, 2] }]);
    expect(await reads.warm(into('two'))).toMatchObject([{ two: [1, 2] }]);
  });
});

it('knows the ids that an entity declares', async () => {
  await restore();
  const leaflets = () =>
    reads.app.source.getRepository(Leaflet).createQueryBuilder('l').orderBy('l.id');
  expect(await reads.warm(leaflets)).toEqual([
    { id: 1, topicIds: [1] },
    { id: 2, topicIds: [2] },
  ]);
  await reads.write('INSERT INTO leaflets_topics VALUES (2, 1)');
  await reads.expectAnew(leaflets, [
    { id: 1, topicIds: [1] },
    { id: 2, topicIds: [1, 2] },
  ]);
});

it('refuses ids under a condition that is in no SQL', async () => {
  const named = (name: string) => () =>
    reads.app.source
      .getRepository(Book)
      .createQueryBuilder('b')
      .loadRelationIdAndMap('b.topicIds', 'b.topics', 't', (ids) =>
        ids.andWhere('t.name = :name', { name }),
      );
  await reads.expectRefused(named('sea'), 'separate-statements');
});

describe('lazy relations', () => {
  beforeAll(restore);

  it('are never stored with an entity', async () => {
    const loans = () => reads.app.source.getRepository(Loan).createQueryBuilder('l');
    const [loan] = (await reads.expectRefused(loans, 'lazy-relations')) as Loan[];
    expect(await loan?.book).toMatchObject({ title: 'One' });
  });
});
