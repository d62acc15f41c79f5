import { describe, expect, it } from 'vitest';
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

  describe('GET /users', () => {
    it('answers an empty list when there are no users', async () => {
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

    it('links without a region where none was requested', async () => {
      const [id] = await service.insert(ADA);
      const { headers } = await service.get('/users?limit=1');
      expect(headers['link']).toBe(`</users?limit=1&after=${id}>; rel="next"`);
    });

    it('answers a thousand users by default', async () => {
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

    it('names the missing user', async () => {
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
});
