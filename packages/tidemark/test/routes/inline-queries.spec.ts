/** Real: PostgreSQL. Handlers return find options, SQL text and builders of any shape. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Controller, Get, Param, ParseIntPipe, UseInterceptors } from '@nestjs/common';
import { DataSource } from 'typeorm';
import {
  asQuery,
  CacheInterceptor,
  CacheQuery,
  countQuery,
  defineQuery,
  existsQuery,
  findOneQuery,
  findQuery,
  sqlQuery,
  type CachedAnswer,
} from '../../src/index.js';
import { startAdopter, type Adopter } from './adopter.js';
import { Book } from './routes.controllers.js';

const shelf = defineQuery({
  name: 'books.shelf',
  shape: 'many-and-count',
  entity: Book,
  find: () => ({ order: { id: 'ASC' }, take: 1 }),
  map: ({ title }) => title,
  answer: ([items, total]) => ({ items, total }),
});
const titles = defineQuery({
  name: 'books.titles',
  sql: 'SELECT title FROM "books" ORDER BY id',
  map: ({ title }: Pick<Book, 'title'>) => title,
});
const titleOf = defineQuery({
  name: 'books.title',
  shape: 'one',
  entity: Book,
  find: (id: number) => ({ where: { id } }),
  absent: (id) => `No book ${id}.`,
  answer: (book) => ({ title: book?.title }),
});

const byId = (source: DataSource, id: number) =>
  source.getRepository(Book).createQueryBuilder('book').where({ id });

/** The prefix is a variable of the request, which only an inline map may use. */
const prefixed =
  (prefix: string) =>
  ({ title }: Book): string =>
    prefix + title;

@Controller('decorated')
class DecoratedBooks {
  constructor(readonly source: DataSource) {}

  @Get('shelf')
  @CacheQuery()
  shelf(): CachedAnswer<{ items: string[]; total: number }> {
    return shelf.bind();
  }

  @Get('titles')
  @CacheQuery()
  titles(): CachedAnswer<string[]> {
    return titles.bind();
  }

  @Get('title/:id')
  @CacheQuery()
  title(@Param('id', ParseIntPipe) id: number): CachedAnswer<{ title: string | undefined }> {
    return titleOf.bind(id);
  }

  @Get('found')
  @CacheQuery()
  found(): CachedAnswer<Book[]> {
    return findQuery(Book, { order: { id: 'ASC' } });
  }

  @Get('found/:id')
  @CacheQuery()
  one(@Param('id', ParseIntPipe) id: number): CachedAnswer<Book | null> {
    return findOneQuery(Book, { where: { id } });
  }

  @Get('built/:id')
  @CacheQuery()
  built(@Param('id', ParseIntPipe) id: number): CachedAnswer<Book | null> {
    return asQuery(byId(this.source, id), { shape: 'one' });
  }

  @Get('count')
  @CacheQuery()
  count(): CachedAnswer<number> {
    return countQuery(Book);
  }

  @Get('exists/:id')
  @CacheQuery()
  exists(@Param('id', ParseIntPipe) id: number): CachedAnswer<boolean> {
    return existsQuery(Book, { where: { id } });
  }

  @Get('sql')
  @CacheQuery()
  sql(): CachedAnswer<Record<string, unknown>[]> {
    return sqlQuery('SELECT id FROM "books" ORDER BY id');
  }

  @Get('greeted/:prefix')
  @CacheQuery()
  greeted(@Param('prefix') prefix: string): CachedAnswer<string[]> {
    return findQuery(Book, { order: { id: 'ASC' } }, { map: prefixed(prefix) });
  }
}

@Controller('intercepted')
@UseInterceptors(CacheInterceptor)
class InterceptedBooks extends DecoratedBooks {}

let adopter: Adopter;

beforeAll(async () => {
  adopter = await startAdopter({
    entities: [Book],
    controllers: [DecoratedBooks, InterceptedBooks],
  });
});

afterAll(() => adopter.stop());

beforeEach(async () => {
  await adopter.source.query('TRUNCATE books');
  await adopter.source.query(`INSERT INTO books VALUES (1, 'Emma'), (2, 'Ulysses')`);
});

interface Seen {
  readonly status: number;
  readonly json: unknown;
  readonly cache: string | undefined;
  readonly selects: number;
  readonly tag: unknown;
}

async function get(url: string): Promise<Seen> {
  adopter.sql.reset();
  const answer = await adopter.inject({ url });
  const status = answer.headers['cache-status'] as string | undefined;
  return {
    status: answer.statusCode,
    json: answer.json(),
    cache: status?.split(';')[1]?.trim(),
    selects: adopter.sql.selectsFrom('books').length,
    tag: answer.headers.etag,
  };
}

const EMMA = { id: 1, title: 'Emma' };
const ULYSSES = { id: 2, title: 'Ulysses' };

describe.each(['decorated', 'intercepted'])('a handler, %s', (at) => {
  it.each<[string, unknown, unknown]>([
    ['shelf', { items: ['Emma'], total: 2 }, { items: ['Ulysses'], total: 1 }],
    ['titles', ['Emma', 'Ulysses'], ['Ulysses']],
    ['found', [EMMA, ULYSSES], [ULYSSES]],
    ['count', 2, 1],
    ['exists/1', true, false],
    ['sql', [{ id: 1 }, { id: 2 }], [{ id: 2 }]],
  ])('%s: is answered once by the database until a write', async (path, before, after) => {
    expect(await get(`/${at}/${path}`)).toMatchObject({ json: before, cache: 'fwd=miss' });
    const hit = { status: 200, json: before, cache: 'hit', selects: 0, tag: expect.any(String) };
    expect(await get(`/${at}/${path}`)).toEqual(hit);
    await adopter.source.query('DELETE FROM books WHERE id = 1');
    expect(await get(`/${at}/${path}`)).toMatchObject({ json: after, cache: 'fwd=miss' });
  });

  it.each([
    ['title', { title: 'Emma' }, 'No book 9.'],
    ['found', EMMA, 'There is no such resource.'],
    ['built', EMMA, 'There is no such resource.'],
  ])('%s/:id: an absent row is a cached 404', async (path, row, message) => {
    expect(await get(`/${at}/${path}/1`)).toMatchObject({ status: 200, json: row });
    for (const cache of ['fwd=miss', 'hit']) {
      expect(await get(`/${at}/${path}/9`)).toMatchObject({
        status: 404,
        json: { message },
        cache,
      });
    }
  });

  it('an inline map runs for each request', async () => {
    const path = (prefix: string): string => `/${at}/greeted/${prefix}`;
    expect(await get(path('my'))).toMatchObject({
      json: ['myEmma', 'myUlysses'],
      cache: 'fwd=miss',
    });
    const other = await get(path('your'));
    expect(other).toMatchObject({ json: ['yourEmma', 'yourUlysses'], cache: 'hit', selects: 0 });
    expect(other.tag).toBeUndefined();
  });
});
