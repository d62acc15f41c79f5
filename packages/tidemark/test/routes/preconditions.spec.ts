/** Real: PostgreSQL. Conditional requests to cached handlers, whatever their method. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { All, Controller, Param, ParseIntPipe, Put } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { CacheQuery, type BoundQuery } from '../../src/index.js';
import { FEWER_ADAPTERS, startAdopter, type Adopter } from './adopter.js';
import { Book, bookById } from './routes.controllers.js';

@Controller('books')
class BooksController {
  constructor(private readonly source: DataSource) {}

  @All(':id')
  @CacheQuery()
  read(@Param('id', ParseIntPipe) id: number): BoundQuery {
    return bookById.bind({ id });
  }

  @Put(':id/title')
  @CacheQuery()
  async rename(@Param('id', ParseIntPipe) id: number): Promise<BoundQuery> {
    await this.source.getRepository(Book).update(id, { title: 'Persuasion' });
    return bookById.bind({ id });
  }
}

describe.each(FEWER_ADAPTERS)('%s', (adapter) => {
  let adopter: Adopter;
  let tag: string;

  type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

  async function ask(method: Method, headers: Record<string, string> = {}, id = 1) {
    const answer = await adopter.inject({ method, url: `/books/${id}`, headers });
    return { status: answer.statusCode, headers: answer.headers, length: answer.body.length };
  }

  beforeAll(async () => {
    adopter = await startAdopter({ adapter, entities: [Book], controllers: [BooksController] });
    await adopter.source.query(`INSERT INTO books VALUES (1, 'Emma')`);
    tag = String((await ask('GET')).headers['etag']);
  });

  afterAll(() => adopter.stop());

  describe.each<Method>(['POST', 'PUT', 'PATCH', 'DELETE'])('%s to a cached handler', (method) => {
    it.each<[name: string, value: () => string, status: number]>([
      // Conditions are for the handler, which may have written.
      ['if-none-match', () => tag, 200],
      ['if-none-match', () => '"other"', 200],
      ['if-none-match', () => '*', 200],
      ['if-match', () => '"other"', 200],
    ])('%s, case %#', async (name, value, status) => {
      expect((await ask(method, { [name]: value() })).status).toBe(status);
    });
  });

  it('a handler that has written answers the new state, where If-Match named the state before', async () => {
    const url = '/books/1/title';
    const answer = await adopter.inject({ method: 'PUT', url, headers: { 'if-match': tag } });
    expect(answer.statusCode).toBe(200);
    expect(answer.body).toContain('Persuasion');
    tag = String((await ask('GET')).headers['etag']);
  });

  describe.each<Method>(['GET', 'HEAD'])('%s of a cached handler', (method) => {
    it.each<[name: string, value: () => string, status: number]>([
      ['if-none-match', () => tag, 304],
      ['if-match', () => '"other"', 412],
      ['if-match', () => `"other", ${tag}`, 200],
      ['if-match', () => '*', 200],
      ['if-modified-since', () => new Date().toUTCString(), 200],
    ])('%s, case %#', async (name, value, status) => {
      expect((await ask(method, { [name]: value() })).status).toBe(status);
    });

    it('is 412 where If-Match fails, whatever If-None-Match says', async () => {
      const headers = { 'if-match': '"other"', 'if-none-match': tag };
      expect((await ask(method, headers)).status).toBe(412);
    });

    it('is 404 where there is nothing', async () => {
      expect((await ask(method, { 'if-match': tag }, 7)).status).toBe(404);
    });
  });
});
