/**
 * Real: PostgreSQL. Handlers outside of HTTP, in the pipeline of Nest by which GraphQL and others create them: they get
 * other arguments than a request and a reply.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Injectable, UseInterceptors } from '@nestjs/common';
import { ExternalContextCreator } from '@nestjs/core';
import type { DataSource, SelectQueryBuilder } from 'typeorm';
import { CacheInterceptor, CacheQuery, defineQuery, type BoundQuery } from '../../src/index.js';
import { startAdopter, type Adopter } from './adopter.js';
import { Book, bookById } from './routes.controllers.js';

interface Asked {
  readonly id: number;
}

const allBooks = (source: DataSource): SelectQueryBuilder<Book> =>
  source.getRepository(Book).createQueryBuilder('book').orderBy('book.id');
const bookList = defineQuery({ name: 'books.list', build: allBooks });
const bookCount = defineQuery({ name: 'books.count', shape: 'count', build: allBooks });

@Injectable()
class DecoratedResolver {
  @CacheQuery()
  one(_root: unknown, { id }: Asked): BoundQuery {
    return bookById.bind({ id });
  }

  @CacheQuery()
  list(): BoundQuery {
    return bookList.bind();
  }

  @CacheQuery()
  async count(): Promise<BoundQuery> {
    return Promise.resolve(bookCount.bind());
  }

  @CacheQuery()
  other(): unknown {
    return { no: 'query' };
  }
}

@Injectable()
@UseInterceptors(CacheInterceptor)
class InterceptedResolver {
  one(_root: unknown, { id }: Asked): BoundQuery {
    return bookById.bind({ id });
  }

  list(): BoundQuery {
    return bookList.bind();
  }

  count(): BoundQuery {
    return bookCount.bind();
  }

  other(): unknown {
    return { no: 'query' };
  }
}

type Name = 'one' | 'list' | 'count' | 'other';

let adopter: Adopter;

beforeAll(async () => {
  adopter = await startAdopter({
    entities: [Book],
    providers: [DecoratedResolver, InterceptedResolver],
  });
});

afterAll(() => adopter.stop());

beforeEach(async () => {
  await adopter.source.query('TRUNCATE books');
  await adopter.source.query(`INSERT INTO books VALUES (1, 'Emma')`);
});

const EMMA = { id: 1, title: 'Emma' };

describe.each([DecoratedResolver, InterceptedResolver])('%p', (resolver) => {
  describe.each(['graphql', 'rpc', 'ws'])('in a context of type %s', (type) => {
    /** The answer, and how often the database was asked. The arguments of the handler can have no property added. */
    async function call(name: Name, args: object = {}): Promise<readonly [unknown, number]> {
      const instance: Record<Name, (...args: never[]) => unknown> = adopter.app.get(resolver);
      const creator = adopter.app.get(ExternalContextCreator, { strict: false });
      const handler = instance[name] as (...args: unknown[]) => unknown;
      const created = creator.create(
        instance,
        handler,
        name,
        undefined,
        undefined,
        undefined,
        undefined,
        undefined,
        type,
      ) as (...args: object[]) => Promise<unknown>;
      adopter.sql.reset();
      const given = [{}, args, {}, {}].map((value) => Object.freeze(value));
      return [await created(...given), adopter.sql.selectsFrom('books').length];
    }

    it.each<[Name, object, unknown]>([
      ['one', { id: 1 }, EMMA],
      ['one', { id: 7 }, null],
      ['list', {}, [EMMA]],
      ['count', {}, 1],
    ])('%s, %p: values, from the cache the second time', async (name, args, value) => {
      expect(await call(name, args)).toEqual([value, 1]);
      expect(await call(name, args)).toEqual([value, 0]);
    });

    it('other values pass', async () => {
      expect(await call('other')).toEqual([{ no: 'query' }, 0]);
    });
  });
});
