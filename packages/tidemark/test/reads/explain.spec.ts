/** Real: PostgreSQL. What `explain` and the log of development say about the tables of a query. */
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { defineQuery } from '../../src/index.js';
import { REMEDIES } from '../../src/typeorm/queries/explain-plan.js';
import { CachedReads } from './cached-reads.js';
import { Author, Book, LIBRARY } from './fixtures/library.entities.js';

/** Books with their authors. */
const booksOf = (source: DataSource, p: { ids: number[] }) =>
  source
    .getRepository(Book)
    .createQueryBuilder('book')
    .leftJoinAndSelect('book.author', 'author')
    .where('book.id = ANY (:ids)', p);

const page = defineQuery({ name: 'books.page', build: booksOf });
const logged = defineQuery({ name: 'books.logged', build: booksOf });

const authorsIn = defineQuery({
  name: 'authors.in',
  build: (source, p: { region: string }) =>
    source.getRepository(Author).createQueryBuilder('a').where('a.region = :region', p),
  map: ({ name }) => name,
});

let reads: CachedReads;

beforeAll(async () => {
  reads = await CachedReads.start(
    LIBRARY,
    [
      "INSERT INTO authors (id, name, region) VALUES (1, 'Le Guin', 'US'), (2, 'Lem', 'EU')",
      `INSERT INTO books (id, title, "authorId") VALUES (1, 'The Dispossessed', 1)`,
    ],
    {},
    { invalidation: { triggers: 'install' } },
  );
});

afterAll(async () => {
  debug.mockRestore();
  await reads.stop();
});

const debug = vi.spyOn(Logger.prototype, 'debug');

beforeEach(() => {
  debug.mockClear();
});

it('a joined table that no condition restricts: whole, by the columns of the join', () => {
  expect(reads.app.cache.explain(page.bind({ ids: [1, 2] }))).toMatchObject({
    cacheable: true,
    dependencies: [
      { table: 'public.books', isWhole: false, reason: 'restricted to id=1, id=2' },
      {
        table: 'public.authors',
        names: ['*'],
        isWhole: true,
        reason:
          'author is joined by author.id = book.authorId, and no condition restricts either to values',
      },
    ],
  });
});

it('as explained: a write to another author ends the page, and a write to another book does not', async () => {
  const books = () => page.bind({ ids: [1] });
  const value = await reads.warm(books);
  await reads.write("INSERT INTO books (id, title) VALUES (9, 'Solaris')");
  await reads.expectHit(books, value);
  await reads.write("UPDATE authors SET name = 'Stanislaw Lem' WHERE id = 2");
  await reads.expectAnew(books, value);
});

it('more values than five: the first five and the number of the others', () => {
  expect(reads.app.cache.explain(page.bind({ ids: [1, 2, 3, 4, 5, 6, 7] }))).toMatchObject({
    dependencies: [
      { reason: 'restricted to id=1, id=2, id=3, id=4, id=5 and 2 more' },
      { table: 'public.authors' },
    ],
  });
});

it('a relation of a further statement: whole, since its values are not known before', () => {
  const repository = reads.app.source.getRepository(Book);
  const builder = repository
    .createQueryBuilder('b')
    .setFindOptions({ relations: { author: true }, relationLoadStrategy: 'query' })
    .where('b.id = 1');
  const { dependencies } = reads.app.cache.explain(builder) as {
    dependencies: readonly { table: string; reason: string }[];
  };
  expect(dependencies.find(({ table }) => table === 'public.authors')?.reason).toBe(
    'TypeORM reads it by a further statement, whose values are known only when it runs',
  );
});

it('a list of more than 100 ids: whole, with the number', () => {
  const ids = Array.from({ length: 101 }, (_, id) => id);
  expect(reads.app.cache.explain(page.bind({ ids }))).toMatchObject({
    dependencies: [
      { table: 'public.books', isWhole: true, reason: 'more than 100 values of id are given' },
      { table: 'public.authors' },
    ],
  });
});

it('an uncacheable query: the reason, its detail and the remedy', () => {
  const builder = reads.app.source
    .getRepository(Author)
    .createQueryBuilder('a')
    .where('now() > $1');
  expect(reads.app.cache.explain(builder)).toMatchObject({
    cacheable: false,
    reason: 'volatile-function',
    detail: expect.stringContaining('now'),
    remedy: REMEDIES['volatile-function'],
  });
});

it('in development the first read logs the whole tables and the reason, once for each query', async () => {
  for (const ids of [[1], [2], [1, 2]]) await reads.read(logged.bind({ ids }));
  await reads.read(authorsIn.bind({ region: 'EU' }));
  expect(debug.mock.calls.map(([line]) => line)).toEqual([
    'Each write to these tables ends all answers of books.logged: public.authors (author is joined by author.id = ' +
      'book.authorId, and no condition restricts either to values)',
  ]);
});

it('in production nothing is logged', async () => {
  const production = await CachedReads.start(LIBRARY, [], { verifyPlans: 0.01 });
  try {
    await production.read(page.bind({ ids: [1] }));
    expect(debug).not.toHaveBeenCalled();
  } finally {
    await production.stop();
  }
});
