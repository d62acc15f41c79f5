import { describe, expect, it } from 'vitest';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { modes } from './support/modes.js';
import { expectProblem } from './support/problem.js';
import type { RestService } from './support/rest-service.js';
import { useRestService } from './support/service-tests.js';

describe.each(modes)('cached answers about users, cache $name', (mode) => {
  let service: RestService;

  useRestService(mode, (started) => {
    service = started;
  });

  describe('a hit', () => {
    it('follows a miss, is the same to the byte, and runs no SQL', async () => {
      await service.insert({ username: 'ada', region: 'US' });
      const miss = await service.settled('/users?region=US');
      expect(miss.headers['cache-status']).toBe('tidemark; fwd=miss; stored');
      service.sql.reset();
      const hit = await service.get('/users?region=US');
      expect(hit.headers['cache-status']).toMatch(/^tidemark; hit; ttl=\d+; detail=L1$/);
      expect(hit.body.equals(miss.body)).toBe(true);
      expect(hit.headers['content-type']).toBe(miss.headers['content-type']);
      expect(hit.headers['etag']).toBe(miss.headers['etag']);
      expect(service.sql.statements).toEqual([]);
    });

    it('keeps the link to the next page', async () => {
      const [, bob] = await service.insert(
        { username: 'ada', region: 'US' },
        { username: 'bob', region: 'US' },
        { username: 'eli', region: 'US' },
      );
      const path = '/users?region=US&limit=2';
      const link = `<${path}&after=${bob}>; rel="next"`;
      const miss = await service.settled(path);
      const hit = await service.warm(path);
      expect([miss.headers['link'], hit.headers['link']]).toEqual([link, link]);
    });

    it.each([
      ['/users?region=US&limit=5', '/users?limit=5&region=US'],
      ['/users', '/users?limit=1000'],
      ['/regions', '/regions?'],
    ])('answers %s and %s from one entry', async (path, other) => {
      await service.insert({ username: 'ada', region: 'US' });
      await service.warm(path);
      expect((await service.get(other)).cache).toBe('hit');
    });

    it.each([
      ['/users?region=US', '/users?region=EU'],
      ['/users?region=US', '/users'],
      ['/users?limit=1', '/users?limit=2'],
      ['/users?limit=1', '/users?limit=1&after=2147483647'],
    ])('of %s does not answer %s', async (path, other) => {
      await service.insert(
        { username: 'ada', region: 'US' },
        { username: 'bob', region: 'EU' },
        { username: 'eli', region: 'US' },
      );
      const first = await service.warm(path);
      const second = await service.get(other);
      expect(second.cache).toBe('miss');
      expect(second.json).not.toEqual(first.json);
    });

    it('has the headers for revalidation and its age', async () => {
      await service.insert({ username: 'ada', region: 'US' });
      const { headers } = await service.warm('/users');
      expect(headers['cache-control']).toBe('private, no-cache');
      expect(headers['vary']).toMatch(/accept-encoding/i);
      expect(headers['age']).toMatch(/^\d+$/);
    });

    it.each([
      ['br', brotliDecompressSync],
      ['gzip', gunzipSync],
    ])('in %s is the same answer', async (encoding, decode) => {
      const users = Array.from({ length: 200 }, (_, i) => ({ username: `u${i}`, region: 'US' }));
      await service.insert(...users);
      const plain = await service.warm('/users');
      const packed = await service.get('/users', { 'accept-encoding': encoding });
      expect(packed.headers['content-encoding']).toBe(encoding);
      expect(packed.body.length).toBeLessThan(plain.body.length);
      expect(decode(packed.body).equals(plain.body)).toBe(true);
      expect(packed.headers['etag']).not.toBe(plain.headers['etag']);
    });
  });

  describe('an entity tag', () => {
    it('spares the body while nothing has changed', async () => {
      const [id] = await service.insert({ username: 'ada', region: 'US' });
      const { headers } = await service.warm('/users');
      const etag = headers['etag'] ?? '';
      expect(etag).toMatch(/^"[^"]+"$/);
      service.sql.reset();
      const same = await service.get('/users', { 'if-none-match': etag });
      expect([same.status, same.body.length, same.headers['etag']]).toEqual([304, 0, etag]);
      expect(service.sql.statements).toEqual([]);

      const asked = await service.head('/users', { 'if-none-match': etag });
      expect([asked.status, asked.headers['etag']]).toEqual([304, etag]);

      await service.patch(`/users/${id}`, { username: 'bea' });
      const changed = await service.get('/users', { 'if-none-match': etag });
      expect([changed.status, changed.json]).toEqual([200, [{ id, username: 'bea' }]]);
    });
  });

  it('answers 304 with the tag of what the client holds, in whatever coding', async () => {
    await service.insert(
      ...Array.from({ length: 100 }, (_, i) => ({ username: `user${i}`, region: 'US' })),
    );
    const plain = (await service.warm('/users')).headers['etag'] ?? '';
    const br = { 'accept-encoding': 'br' };
    const packed = (await service.get('/users', br)).headers['etag'] ?? '';
    expect(packed).not.toBe(plain);
    for (const held of [plain, packed]) {
      const same = await service.get('/users', { ...br, 'if-none-match': held });
      expect([same.status, same.headers['etag']]).toEqual([304, held]);
      expect(same.headers['vary']).toBe('Accept-Encoding');
      expect(same.headers['cache-control']).toBe('private, no-cache');
      expect(same.cache).toBe('hit');
    }
  });

  describe('a fill', () => {
    it('runs once for simultaneous requests', async () => {
      await service.insert({ username: 'ada', region: 'US' });
      await service.settled('/users?region=other');
      service.sql.reset();
      const answers = await Promise.all(
        Array.from({ length: 50 }, () => service.get('/users?region=US')),
      );
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
      expect(new Set(answers.map(({ body }) => body.toString())).size).toBe(1);
      expect(service.sql.selectsFrom('users')).toHaveLength(1);
    });
  });

  describe('a missing user', () => {
    it('is remembered as absent, and found once created', async () => {
      const [before] = await service.insert({ username: 'before', region: 'US' });
      const next = `/users/${Number(before) + 1}`;
      const absent = await service.warm(next);
      expectProblem(absent, 404);
      service.sql.reset();
      expect((await service.get(next)).status).toBe(404);
      expect(service.sql.statements).toEqual([]);

      const created = await service.post('/users', {
        username: 'ada',
        region: 'US',
        email: 'ada@example.com',
      });
      expect(created.headers['location']).toBe(next);
      expect(await service.get(next)).toMatchObject({ status: 200, json: { username: 'ada' } });
    });
  });
});
