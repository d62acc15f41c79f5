/** Real: PostgreSQL, HTTP. `Cache-Control` of requests. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FEWER_ADAPTERS, startAdopter, type Adopter } from './adopter.js';
import { Book, DecoratedController } from './routes.controllers.js';

const URL = '/decorated/books/1';

describe.each(FEWER_ADAPTERS)('%s', (adapter) => {
  let adopter: Adopter;

  const start = async (honourRequestCacheControl: boolean): Promise<void> => {
    adopter = await startAdopter({
      adapter,
      entities: [Book],
      controllers: [DecoratedController],
      cache: { honourRequestCacheControl },
    });
    await adopter.source.query(`INSERT INTO books VALUES (1, 'Emma')`);
  };

  /** The member of this cache in `Cache-Status`, up to a time, and how often the database was asked. */
  const get = async (cacheControl?: string): Promise<readonly [string, number]> => {
    const headers = cacheControl ? { 'cache-control': cacheControl } : {};
    const answer = await adopter.inject({ url: URL, headers });
    expect(answer.json()).toEqual({ id: 1, title: 'Emma' });
    const status = String(answer.headers['cache-status']).replace(/ ttl=\d+;/, '');
    return [status, adopter.sql.selectsFrom('books').length];
  };

  afterEach(() => adopter.stop());

  describe('with honourRequestCacheControl', () => {
    beforeEach(() => start(true));

    it('no-cache runs the query and stores its answer, with and without a stored answer', async () => {
      const fresh = ['tidemark; fwd=request; stored', 1];
      expect(await get('max-age=0, No-Cache')).toEqual(fresh);
      expect(await get()).toEqual(['tidemark; hit; detail=L1', 0]);
      expect(await get('no-cache')).toEqual(fresh);
      expect(await get()).toEqual(['tidemark; hit; detail=L1', 0]);
    });

    it('no-store runs the query and stores nothing', async () => {
      const past = ['tidemark; fwd=request; detail=no-store', 1];
      expect(await get('no-store')).toEqual(past);
      expect(await get('max-age=60')).toEqual(['tidemark; fwd=miss; stored', 1]);
      expect(await get('no-cache, no-store')).toEqual(past);
    });

    it('no-cache is 304 for a client that holds the new answer', async () => {
      const { headers } = await adopter.inject({ url: URL });
      const held = { 'cache-control': 'no-cache', 'if-none-match': String(headers['etag']) };
      expect(await adopter.inject({ url: URL, headers: held })).toMatchObject({ statusCode: 304 });
    });
  });

  it('without the option, both directives get the stored answer', async () => {
    await start(false);
    await get();
    for (const directive of ['no-cache', 'no-store']) {
      expect(await get(directive)).toEqual(['tidemark; hit; detail=L1', 0]);
    }
  });
});
