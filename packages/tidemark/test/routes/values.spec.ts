/** Real: PostgreSQL, HTTP. Handlers that return something else than the cache can answer. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Controller, Get, NotFoundException, type LoggerService } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { CacheQuery, countQuery, type CachedAnswer } from '../../src/index.js';
import { ADAPTERS, startAdopter, type Adopter } from './adopter.js';
import { Book, ForgetfulController } from './routes.controllers.js';

@Controller('values')
class ValuesController {
  constructor(private readonly source: DataSource) {}

  @Get('found')
  @CacheQuery()
  found(): Promise<Book[]> {
    return this.source.getRepository(Book).find();
  }

  @Get('nothing')
  @CacheQuery()
  nothing(): undefined {
    return undefined;
  }

  @Get('failing')
  @CacheQuery()
  failing(): never {
    throw new NotFoundException();
  }

  @Get('counted')
  async counted(): Promise<number> {
    return this.source.getRepository(Book).count();
  }

  @Get('count')
  @CacheQuery()
  count(): CachedAnswer<number> {
    return countQuery(Book);
  }

  @Get('query')
  @CacheQuery()
  query(): unknown {
    return this.source.getRepository(Book).createQueryBuilder('book');
  }
}

describe.each(ADAPTERS)('%s', (adapter) => {
  let adopter: Adopter;
  const lines: string[] = [];
  const note = (message: unknown): unknown => lines.push(String(message));

  beforeAll(async () => {
    const logger: LoggerService = { log: () => undefined, warn: note, error: note };
    adopter = await startAdopter({
      adapter,
      entities: [Book],
      controllers: [ValuesController, ForgetfulController],
      logger,
    });
    await adopter.source.query(`INSERT INTO books VALUES (1, 'Emma')`);
  });

  afterAll(() => adopter.stop());

  beforeEach(() => {
    lines.length = 0;
  });

  const get = (url: string) => adopter.inject({ url });

  it('values of a @CacheQuery handler are sent, with one warning that names the handler', async () => {
    for (const _ of [1, 2]) {
      expect((await get('/values/found')).json()).toEqual([{ id: 1, title: 'Emma' }]);
    }
    expect(lines).toEqual([
      'ValuesController.found has @CacheQuery() and returns values, which cannot be cached: ' +
        'return the query itself, without getMany(), find() or await.',
    ]);
  });

  it('a number is sent as without the cache, at a miss and at a hit', async () => {
    const { body, headers } = await get('/values/counted');
    for (const _ of [1, 2]) {
      const cached = await get('/values/count');
      expect(cached.body).toBe(body);
      expect(cached.headers['content-type']).toBe(headers['content-type']);
      expect(cached.headers).toHaveProperty('cache-status');
    }
  });

  it.each(['nothing', 'failing', 'query'])(
    '%s of a @CacheQuery handler: no warning',
    async (path) => {
      await get(`/values/${path}`);
      expect(lines).toEqual([]);
    },
  );

  it.each([
    ['plain', 'book'],
    ['books/1', 'books.by-id'],
  ])(
    'an unanswered query, %s: 500, and the log names the query and the remedy',
    async (path, name) => {
      expect(await get(`/forgotten/${path}`)).toMatchObject({ statusCode: 500 });
      expect(lines.join()).toContain(
        `The query ${name} was not answered: put @CacheQuery() on the handler that returns it, ` +
          'or CacheInterceptor on its controller, or await QueryCache.run(query).',
      );
    },
  );
});
