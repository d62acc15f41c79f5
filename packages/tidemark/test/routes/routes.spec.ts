/** Real: PostgreSQL. `CacheInterceptor` and `@CacheQuery` in an application of one's own. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { INestApplication } from '@nestjs/common';
import { Client } from 'pg';
import type { DataSource } from 'typeorm';
import { BoundQuery } from '../../src/index.js';
import type { StatementCounter } from '../support/statement-counter.js';
import { eventually } from '../../../../test/support/eventually.js';
import { ADAPTERS, startAdopter, type Adopter } from './adopter.js';
import { send } from './http-client.js';
import {
  Book,
  bookById,
  DecoratedController,
  ForgetfulController,
  InheritingController,
  InterceptedController,
  WatchedController,
  Watcher,
} from './routes.controllers.js';

describe.each(ADAPTERS)('%s', (adapter) => {
  let adopter: Adopter;
  let app: INestApplication;
  let source: DataSource;
  let sql: StatementCounter;

  beforeAll(async () => {
    adopter = await startAdopter({
      adapter,
      entities: [Book],
      controllers: [
        InterceptedController,
        DecoratedController,
        InheritingController,
        WatchedController,
        ForgetfulController,
      ],
      providers: [Watcher],
    });
    ({ app, source, sql } = adopter);
  });

  afterAll(() => adopter.stop());

  beforeEach(async () => {
    await source.query('TRUNCATE books');
    await source.query(`INSERT INTO books VALUES (1, 'Emma'), (2, 'Ulysses')`);
  });

  interface Seen {
    readonly status: number;
    readonly json: unknown;
    readonly cache: string | undefined;
    readonly headers: Readonly<Record<string, unknown>>;
    readonly selects: number;
  }

  async function get(url: string, headers: Record<string, string> = {}): Promise<Seen> {
    const answer = await adopter.inject({ url, headers });
    const status = answer.headers['cache-status'] as string | undefined;
    return {
      status: answer.statusCode,
      json: answer.body === '' ? undefined : answer.json(),
      cache: status?.split(';')[1]?.trim(),
      headers: answer.headers,
      selects: sql.selectsFrom('books').length,
    };
  }

  const EMMA = { id: 1, title: 'Emma' };
  const MISS = { status: 200, cache: 'fwd=miss', selects: 1 };
  const HIT = { status: 200, cache: 'hit', selects: 0 };

  describe.each(['intercepted', 'decorated', 'inherited'])('a query of a handler, %s', (at) => {
    it.each(['books/1', 'later/1'])('is answered once by the database: %s', async (path) => {
      expect(await get(`/${at}/${path}`)).toMatchObject({ ...MISS, json: EMMA });
      expect(await get(`/${at}/${path}`)).toMatchObject({ ...HIT, json: EMMA });
      await source.query(`UPDATE books SET title = 'Persuasion' WHERE id = 1`);
      const changed = { ...EMMA, title: 'Persuasion' };
      expect(await get(`/${at}/${path}`)).toMatchObject({ ...MISS, json: changed });
    });

    it('may be a TypeORM builder', async () => {
      const json = [EMMA, { id: 2, title: 'Ulysses' }];
      expect(await get(`/${at}/plain`)).toMatchObject({ ...MISS, json });
      expect(await get(`/${at}/plain`)).toMatchObject({ ...HIT, json });
    });

    it.each([
      ['stream', { no: 'query' }],
      ['other?say=hi', { say: 'hi' }],
    ])('is no other value: %s', async (path, json) => {
      expect(await get(`/${at}/${path}`)).toMatchObject({ status: 200, json, cache: undefined });
    });

    it('is 404 without a row, from the cache too', async () => {
      const json = { message: 'No book 7.' };
      expect(await get(`/${at}/books/7`)).toMatchObject({ ...MISS, status: 404, json });
      expect(await get(`/${at}/books/7`)).toMatchObject({ ...HIT, status: 404, json });
    });

    it('is not sent to requests that the guard or a pipe refuses, also when it is stored', async () => {
      await get(`/${at}/books/1`);
      expect(await get(`/${at}/books/1`)).toMatchObject(HIT);
      const refused = await get(`/${at}/books/1`, { 'x-thief': 'yes' });
      expect(refused).toMatchObject({ status: 403, cache: undefined, selects: 0 });
      expect(await get(`/${at}/books/one`)).toMatchObject({ status: 400, selects: 0 });
    });

    it('that fails is answered by the filter, and not stored', async () => {
      await source.query('ALTER TABLE books RENAME COLUMN title TO name');
      try {
        const failed = await get(`/${at}/books/1`);
        expect(failed).toMatchObject({ status: 500 });
        expect(failed.headers['cache-status']).toBe('tidemark; fwd=miss; detail=failed');
      } finally {
        await source.query('ALTER TABLE books RENAME COLUMN name TO title');
      }
      expect(await get(`/${at}/books/1`)).toMatchObject({ ...MISS, json: EMMA });
    });

    it('is 304 for a client that holds it, without content or its length', async () => {
      const { headers } = await get(`/${at}/books/1`);
      const etag = headers['etag'] as string;
      const held = await get(`/${at}/books/1`, { 'if-none-match': etag });
      expect(held).toMatchObject({ ...HIT, status: 304, json: undefined });
      expect(held.headers).toMatchObject({ etag });
      for (const name of ['content-length', 'content-type']) {
        expect(held.headers).not.toHaveProperty(name);
      }
      const head = await adopter.inject({
        method: 'HEAD',
        url: `/${at}/books/1`,
        headers: { 'if-none-match': etag },
      });
      expect(head).toMatchObject({ statusCode: 304, body: '' });
      expect(head.headers['content-length']).toBe(headers['content-length']);
    });
  });

  it('a client that leaves while the query runs disturbs no other request', async () => {
    const holder = new Client({ connectionString: adopter.url });
    await holder.connect();
    await holder.query('BEGIN; LOCK TABLE books');
    const leaving = send(app, { url: '/decorated/books/1' }).on('error', () => undefined);
    await eventually(async () => {
      const waiting = await holder.query(
        `SELECT FROM pg_locks WHERE NOT granted AND relation = 'books'::regclass`,
      );
      expect(waiting.rowCount).toBe(1);
    });
    leaving.destroy();
    await holder.end();
    expect(await get('/decorated/books/1')).toMatchObject({ status: 200, json: EMMA });
    expect(await get('/decorated/books/1')).toMatchObject(HIT);
  });

  it.each(['books/1', 'wrapped/1', 'plain'])(
    'an unanswered query is never sent: %s',
    async (path) => {
      const { status, json } = await get(`/forgotten/${path}`);
      expect(status).toBe(500);
      expect(JSON.stringify(json)).not.toContain('Emma');
    },
  );

  describe('how long an answer is kept', () => {
    it.each([
      ['/intercepted/books/2', 50],
      ['/decorated/books/2', 50],
      ['/decorated/above/2', 600],
      ['/watched/books/2', 60],
    ])('%s: %i seconds, by the handler, else the controller, else the module', async (url, ttl) => {
      await get(url);
      // The routes share one entry, made for the first route: the second must fill it again.
      await source.query('UPDATE books SET title = title');
      await get(url);
      const { headers } = await get(url);
      const left = Number(/ttl=(\d+)/.exec(String(headers['cache-status']))?.[1]);
      expect(left).toBeGreaterThanOrEqual(ttl - 2);
      expect(left).toBeLessThanOrEqual(ttl);
    });
  });

  it('CacheInterceptor shows interceptors around it the entity', async () => {
    const { seen } = app.get(Watcher);
    seen.length = 0;
    await get('/watched/books/1');
    await get('/watched/books/1');
    expect(seen).toEqual(['Book', 'Book']);
  });

  describe('a decorated handler', () => {
    it('keeps the metadata of decorators above and below', async () => {
      const { headers, status } = await get('/decorated/above/1');
      expect({ status, shelf: headers['x-shelf'] }).toEqual({ status: 200, shelf: 'top' });
    });

    it('may take the request and the reply itself', async () => {
      const url = '/decorated/with-reply/1';
      await get(url);
      const hit = await get(url);
      expect(hit).toMatchObject({ ...HIT, json: EMMA });
      expect(hit.headers['x-asked-for']).toBe(url);
    });

    it.each(['/decorated/emitted/1', '/decorated/thenable/1', '/inherited/overridden/1'])(
      'answers every form that carries a query: %s',
      async (url) => {
        expect(await get(url)).toMatchObject({ ...MISS, json: EMMA });
        expect(await get(url)).toMatchObject({ ...HIT, json: EMMA });
      },
    );

    it('stays the original function for direct callers', () => {
      const controller = app.get(DecoratedController);
      expect(controller.read(1)).toBeInstanceOf(BoundQuery);
      expect(controller.read(1)).toMatchObject({ name: bookById.name, parameters: { id: 1 } });
    });
  });
});
