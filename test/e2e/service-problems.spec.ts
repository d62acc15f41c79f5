/** The problem documents of every route. */
import { describe, expect, it } from 'vitest';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { BODY_LIMIT_BYTES } from '../../src/http/limits.js';
import { useLoggedService } from './support/logged-service.js';

interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly requestId: string;
  readonly errors?: readonly { field: string; problem: string; remedy: string }[];
}

describe('the service', () => {
  let app: NestFastifyApplication;

  useLoggedService((started) => {
    ({ app } = started);
  });

  const problemOf = async (request: Parameters<typeof app.inject>[0]) => {
    const response = await app.inject(request as { url: string });
    expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
    const problem = response.json<Problem>();
    expect(problem.status).toBe(response.statusCode);
    expect(problem.requestId).toBe(response.headers['x-request-id']);
    return { problem, response };
  };

  describe('problem documents', () => {
    const json = { 'content-type': 'application/json' };
    const user = { username: 'ada', region: 'US', email: 'ada@example.com' };

    it.each([
      ['an unknown path', { url: '/nowhere?secret=1' }, 404, 'not-found'],
      ['an unknown method', { method: 'PUT', url: '/users' }, 405, 'method-not-allowed'],
      [
        'malformed JSON',
        { method: 'POST', url: '/users', headers: json, payload: '{"username":' },
        400,
        'bad-request',
      ],
      [
        'an empty body',
        { method: 'POST', url: '/users', headers: json, payload: '' },
        400,
        'bad-request',
      ],
      [
        'a body that reaches for the prototype',
        { method: 'POST', url: '/users', headers: json, payload: '{"__proto__":{"a":1}}' },
        400,
        'bad-request',
      ],
      [
        'a body that is too large',
        {
          method: 'POST',
          url: '/users',
          headers: json,
          payload: `"${'x'.repeat(BODY_LIMIT_BYTES)}"`,
        },
        413,
        'payload-too-large',
      ],
      [
        'another media type',
        { method: 'POST', url: '/users', headers: { 'content-type': 'text/xml' }, payload: '<u/>' },
        415,
        'unsupported-media-type',
      ],
      ['a malformed path', { url: '/users/%E0%A4%A' }, 400, 'bad-request'],
      [
        'a field that does not fit',
        { method: 'POST', url: '/users', headers: json, payload: { ...user, region: 'no blanks' } },
        400,
        'invalid-request',
      ],
    ] as const)('describe %s', async (_name, request, status, kind) => {
      const { problem } = await problemOf(request);
      expect(problem.status).toBe(status);
      expect(problem.type).toBe(`urn:tidemark:problem:${kind}`);
      expect(problem.instance).toBe(request.url.split('?')[0]);
      expect(problem.detail).toMatch(/\.$/);
      expect(problem.title).not.toBe('');
    });

    it('name the methods of a path', async () => {
      const { response } = await problemOf({ method: 'DELETE', url: '/users' });
      expect(response.headers['allow']).toBe('GET, HEAD, POST');
    });

    it('name every field at fault with a remedy', async () => {
      const { problem } = await problemOf({
        method: 'POST',
        url: '/users',
        payload: { username: '', region: 'US', age: 7 },
      });
      const errors = problem.errors ?? [];
      expect(errors.map(({ field }) => field).toSorted()).toEqual(['age', 'email', 'username']);
      expect(errors.find(({ field }) => field === 'email')?.problem).toBe('is missing');
      expect(errors.find(({ field }) => field === 'age')).toEqual({
        field: 'age',
        problem: 'is not a known field',
        remedy: 'Remove it.',
      });
      for (const { remedy } of errors) expect(remedy).toMatch(/\.$/);
    });

    it('name fields inside lists', async () => {
      const { problem } = await problemOf({
        method: 'POST',
        url: '/users/batch',
        payload: { users: [user, { ...user, email: 'nobody' }] },
      });
      expect(problem.errors?.map(({ field }) => field)).toEqual(['users.1.email']);
    });

    it('are bounded', async () => {
      const { problem } = await problemOf({
        method: 'POST',
        url: '/users/batch',
        payload: { users: Array.from({ length: 1000 }, () => ({})) },
      });
      expect(problem.errors).toHaveLength(50);
    });
  });
});
