import { BODY_LIMIT_BYTES } from '../../src/http/limits.js';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { RedisServer } from '../support/redis-server.js';
import { createDatabase } from '../support/shared-postgres.js';
import { modes } from './support/modes.js';
import { expectProblem } from './support/problem.js';
import { RestService } from './support/rest-service.js';

const ADA = { username: 'ada', region: 'US', email: 'ada@example.com' };

describe.each(modes)('users over REST, cache $name', (mode) => {
  let redis: RedisServer | undefined;
  let service: RestService;

  beforeAll(async () => {
    redis = await mode.startCache();
    service = await RestService.start({
      DATABASE_URL: await createDatabase(),
      REDIS_URL: redis?.url,
    });
  });
  afterAll(async () => {
    await service?.stop();
    await redis?.stop();
  });
  beforeEach(() => service.removeAll());

  describe('GET /users', () => {
    it('answers an empty list when there is nobody', async () => {
      const answer = await service.get('/users');
      expect([answer.status, answer.json, answer.headers['link']]).toEqual([200, [], undefined]);
    });

    it('answers id and username by id, of one region or of all', async () => {
      const [ada, bob, eli] = await service.insert(
        { username: 'ada', region: 'US' },
        { username: 'bob', region: 'EU' },
        { username: 'eli', region: 'US' },
      );
      expect((await service.get('/users')).json).toEqual([
        { id: ada, username: 'ada' },
        { id: bob, username: 'bob' },
        { id: eli, username: 'eli' },
      ]);
      expect((await service.get('/users?region=US')).json).toEqual([
        { id: ada, username: 'ada' },
        { id: eli, username: 'eli' },
      ]);
      expect((await service.get('/users?region=us')).json).toEqual([]);
    });

    it.each([
      [23, 7],
      [21, 7],
      [5, 5],
      [6, 1],
    ])('pages through %d users, %d at a time, to the end', async (count, limit) => {
      const users = Array.from({ length: count }, (_, i) => ({ username: `u${i}`, region: 'US' }));
      const ids = await service.insert(...users, { username: 'other', region: 'EU' });
      const seen: number[] = [];
      let path: string | undefined = `/users?region=US&limit=${limit}`;
      while (path !== undefined) {
        const { json, headers } = await service.get(path);
        const page = json as { id: number }[];
        seen.push(...page.map(({ id }) => id));
        const after = seen.at(-1);
        path = `/users?region=US&limit=${limit}&after=${after}`;
        expect(headers['link']).toBe(page.length === limit ? `<${path}>; rel="next"` : undefined);
        if (page.length < limit) path = undefined;
      }
      expect(seen).toEqual(ids.slice(0, count));
    });

    it('links without a region where none was asked for', async () => {
      const [id] = await service.insert(ADA);
      const { headers } = await service.get('/users?limit=1');
      expect(headers['link']).toBe(`</users?limit=1&after=${id}>; rel="next"`);
    });

    it('gives a thousand unless told otherwise', async () => {
      const users = Array.from({ length: 1001 }, (_, i) => ({ username: `u${i}`, region: 'US' }));
      await service.insert(...users);
      expect((await service.get('/users')).json).toHaveLength(1000);
    });

    it.each([
      ['limit', '?limit=0'],
      ['limit', '?limit=1001'],
      ['limit', '?limit=1e2'],
      ['limit', '?limit=%205'],
      ['limit', '?limit='],
      ['limit', '?limit'],
      ['limit', '?limit=1&limit=2'],
      ['after', '?after=-1'],
      ['after', '?after=2147483648'],
      ['region', '?region='],
      ['region', '?region=U%20S'],
      ['region', '?region=elevenchars'],
      ['offset', '?offset=10'],
    ])('refuses, naming %s: %s', async (field, query) => {
      expectProblem(await service.get(`/users${query}`), 400, field);
    });
  });

  describe('GET /users/:id', () => {
    it('answers the whole user', async () => {
      const [id] = await service.insert(ADA);
      const answer = await service.get(`/users/${id}`);
      expect([answer.status, answer.json]).toEqual([200, { id, ...ADA }]);
      expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    });

    it('says who is not there', async () => {
      const answer = await service.get('/users/2147483647');
      expectProblem(answer, 404);
      expect(answer.json).toMatchObject({ detail: 'There is no user 2147483647.' });
    });

    it.each(['0', '-1', '07', '1.5', 'ada', '2147483648', '%00'])(
      'refuses the id %s',
      async (id) => {
        expectProblem(await service.get(`/users/${id}`), 400, 'id');
      },
    );
  });

  describe('POST /users', () => {
    it('creates the user and says where', async () => {
      const answer = await service.post('/users', ADA);
      const { id } = answer.json as { id: number };
      expect([answer.status, answer.json]).toEqual([201, { id, ...ADA }]);
      expect(answer.headers['location']).toBe(`/users/${id}`);
      expect((await service.get(`/users/${id}`)).json).toEqual({ id, ...ADA });
    });

    it('refuses a username that is taken', async () => {
      await service.insert(ADA);
      expectProblem(await service.post('/users', { ...ADA, region: 'EU' }), 409, 'username');
      expect(await service.rows()).toHaveLength(1);
    });

    it('keeps usernames apart to the letter', async () => {
      await service.insert(ADA);
      const answer = await service.post('/users', { ...ADA, username: 'Ada' });
      expect(answer.status).toBe(201);
    });

    it.each([
      ['username', { ...ADA, username: '' }],
      ['username', { ...ADA, username: 'x'.repeat(81) }],
      ['username', { ...ADA, username: 'a\0b' }],
      ['username', { region: 'US', email: 'a@example.com' }],
      ['region', { ...ADA, region: 'U S' }],
      ['email', { ...ADA, email: 'nobody' }],
      ['admin', { ...ADA, admin: true }],
      ['id', { ...ADA, id: 1 }],
    ])('refuses, naming %s: %j', async (field, body) => {
      expectProblem(await service.post('/users', body), 400, field);
      expect(await service.rows()).toEqual([]);
    });

    it('refuses what is not a user at all', async () => {
      for (const body of ['{"username": ', '[]', 'null', '"ada"', '']) {
        expectProblem(await service.post('/users', body), 400);
      }
    });

    it('refuses other media types', async () => {
      const type = { 'content-type': 'text/xml' };
      expectProblem(await service.post('/users', '<user/>', type), 415);
    });

    it('refuses what a form on another site could send', async () => {
      for (const type of ['application/x-www-form-urlencoded', 'text/plain']) {
        const answer = await service.post('/users', 'username=ada', { 'content-type': type });
        expectProblem(answer, 415);
      }
    });

    it('refuses query parameters, which it has none of', async () => {
      expectProblem(await service.post('/users?dry=1', ADA), 400, 'dry');
      expectProblem(await service.get('/regions?x=1'), 400, 'x');
      expectProblem(await service.get('/users/1?x=1'), 400, 'x');
    });

    it('refuses a body over the limit', async () => {
      const body = { ...ADA, username: 'x'.repeat(BODY_LIMIT_BYTES) };
      expectProblem(await service.post('/users', body), 413);
    });
  });

  describe('POST /users/batch', () => {
    const longest = (i: number) => ({
      username: `${i}${'🌊'.repeat(80 - `${i}`.length)}`,
      region: 'R'.repeat(10),
      email: `${'a'.repeat(60)}@${'b'.repeat(55)}.com`,
    });

    it('creates a thousand of the longest users', async () => {
      const users = Array.from({ length: 1000 }, (_, i) => longest(i));
      const answer = await service.post('/users/batch', { users });
      expect([answer.status, answer.json]).toEqual([201, { inserted: 1000 }]);
      expect(await service.rows()).toHaveLength(1000);
    });

    it.each([
      ['taken', [{ ...ADA, username: 'new' }, ADA]],
      [
        'there twice',
        [
          { ...ADA, username: 'new' },
          { ...ADA, username: 'new' },
        ],
      ],
    ])('creates none when a username is %s', async (_, users) => {
      await service.insert(ADA);
      expectProblem(await service.post('/users/batch', { users }), 409, 'username');
      expect(await service.rows()).toHaveLength(1);
    });

    it.each([
      ['users', { users: [] }],
      ['users', { users: Array.from({ length: 1001 }, (_, i) => ({ ...ADA, username: `u${i}` })) }],
      ['users', {}],
      ['users.1.email', { users: [ADA, { ...ADA, username: 'bob', email: '' }] }],
      ['users.0.admin', { users: [{ ...ADA, admin: true }] }],
    ])('refuses, naming %s', async (field, body) => {
      expectProblem(await service.post('/users/batch', body), 400, field);
      expect(await service.rows()).toEqual([]);
    });
  });

  describe('PATCH /users/:id', () => {
    it.each([{ username: 'bea' }, { region: 'EU' }, { email: 'b@example.com' }, ADA])(
      'changes %j and nothing else',
      async (changes) => {
        const [id] = await service.insert(ADA);
        const answer = await service.patch(`/users/${id}`, changes);
        expect([answer.status, answer.json]).toEqual([200, { id, ...ADA, ...changes }]);
        expect((await service.get(`/users/${id}`)).json).toEqual({ id, ...ADA, ...changes });
      },
    );

    it('does not create a user who is not there', async () => {
      expectProblem(await service.patch('/users/2147483647', { region: 'EU' }), 404);
      expect(await service.rows()).toEqual([]);
    });

    it('refuses a username that is taken', async () => {
      const [, bob] = await service.insert(ADA, { ...ADA, username: 'bob' });
      expectProblem(await service.patch(`/users/${bob}`, { username: 'ada' }), 409, 'username');
    });

    it.each([
      ['region', { region: null }],
      ['email', { email: 'nobody' }],
      ['id', { id: 7, region: 'EU' }],
      [undefined, {}],
    ])('refuses, naming %s: %j', async (field, changes) => {
      const [id] = await service.insert(ADA);
      expectProblem(await service.patch(`/users/${id}`, changes), 400, field);
      expect(await service.rows()).toMatchObject([ADA]);
    });
  });

  describe('DELETE /users/:id', () => {
    it('deletes once', async () => {
      const [id] = await service.insert(ADA, { ...ADA, username: 'bob' });
      const answer = await service.delete(`/users/${id}`);
      expect([answer.status, answer.body.length]).toEqual([204, 0]);
      expectProblem(await service.delete(`/users/${id}`), 404);
      expectProblem(await service.get(`/users/${id}`), 404);
      expect(await service.rows()).toMatchObject([{ username: 'bob' }]);
    });

    it('refuses what is not an id', async () => {
      expectProblem(await service.delete('/users/all'), 400, 'id');
    });
  });

  describe('regions', () => {
    it('counts the users of each by name', async () => {
      expect((await service.get('/regions')).json).toEqual([]);
      await service.insert(
        { username: 'u1', region: 'US' },
        { username: 'u2', region: 'EU' },
        { username: 'u3', region: 'US' },
      );
      expect((await service.get('/regions')).json).toEqual([
        { region: 'EU', users: 1 },
        { region: 'US', users: 2 },
      ]);
    });

    it('moves everybody of one region, and says how many', async () => {
      await service.insert(
        { username: 'u1', region: 'US' },
        { username: 'u2', region: 'EU' },
        { username: 'u3', region: 'US' },
      );
      const answer = await service.post('/regions/US/move', { to: 'EU' });
      expect([answer.status, answer.json]).toEqual([200, { moved: 2 }]);
      expect((await service.get('/regions')).json).toEqual([{ region: 'EU', users: 3 }]);
      expect((await service.post('/regions/US/move', { to: 'EU' })).json).toEqual({ moved: 0 });
    });

    it.each([
      ['to', '/regions/US/move', { to: 'US' }],
      ['to', '/regions/US/move', { to: '' }],
      ['to', '/regions/US/move', {}],
      ['from', '/regions/US/move', { to: 'EU', from: 'US' }],
      ['region', '/regions/elevenchars/move', { to: 'EU' }],
    ])('refuses, naming %s: POST %s %j', async (field, path, body) => {
      expectProblem(await service.post(path, body), 400, field);
    });
  });
});
