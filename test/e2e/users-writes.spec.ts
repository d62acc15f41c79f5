import { describe, expect, it } from 'vitest';
import { BODY_LIMIT_BYTES } from '../../src/http/limits.js';
import { representatives } from '../support/long-tests.js';
import { ADA } from './support/ada.js';
import { modes } from './support/modes.js';
import { expectProblem } from './support/problem.js';
import type { RestService } from './support/rest-service.js';
import { useRestService } from './support/service-tests.js';

describe.each(representatives(modes, 1))('users over REST, cache $name', (mode) => {
  let service: RestService;

  useRestService(mode, (started) => {
    service = started;
  });

  describe('POST /users', () => {
    it('creates the user and sends its location', async () => {
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

    it('distinguishes usernames by every letter', async () => {
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

    it('refuses a body that is not a user', async () => {
      for (const body of ['{"username": ', '[]', 'null', '"ada"', '']) {
        expectProblem(await service.post('/users', body), 400);
      }
    });

    it('refuses other media types', async () => {
      const type = { 'content-type': 'text/xml' };
      expectProblem(await service.post('/users', '<user/>', type), 415);
    });

    it('refuses bodies that a form on another site could send', async () => {
      for (const type of ['application/x-www-form-urlencoded', 'text/plain']) {
        const answer = await service.post('/users', 'username=ada', { 'content-type': type });
        expectProblem(answer, 415);
      }
    });

    it('refuses query parameters, since it has none', async () => {
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

    it('does not create a missing user', async () => {
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

    it('refuses an invalid id', async () => {
      expectProblem(await service.delete('/users/all'), 400, 'id');
    });
  });
});
