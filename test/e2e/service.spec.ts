/** The edge of the service: what every route shares. */
import { BODY_LIMIT_BYTES } from '../../src/http/limits.js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createApp } from '../../src/app.js';
import { parseConfig } from '../../src/config/config.js';
import { ServiceLog } from '../../src/logging/service-log.js';
import { eventually } from '../support/eventually.js';
import { PostgresServer } from '../support/postgres-server.js';
import { createDatabase } from '../support/shared-postgres.js';

interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly requestId: string;
  readonly errors?: readonly { field: string; problem: string; remedy: string }[];
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** The service with its log kept, line by line. */
async function startService(databaseUrl: string) {
  const lines: string[] = [];
  const config = parseConfig({ DATABASE_URL: databaseUrl, LOG_LEVEL: 'debug' });
  const log = new ServiceLog('debug', { write: (line: string) => void lines.push(line) });
  const app = await createApp(config, log);
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  const records = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  return { app, lines, records };
}

describe('the service', () => {
  let app: NestFastifyApplication;
  let lines: string[];
  let records: () => Record<string, unknown>[];

  beforeAll(async () => {
    ({ app, lines, records } = await startService(await createDatabase()));
  });
  afterAll(() => app?.close());

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

    it('say which methods a path takes', async () => {
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

  describe('request ids', () => {
    it.each(['abc-123', 'A.b_c:9', 'x'.repeat(64)])('are taken over: %s', async (id) => {
      const { headers } = await app.inject({
        url: '/health/live',
        headers: { 'x-request-id': id },
      });
      expect(headers['x-request-id']).toBe(id);
    });

    it.each(['', 'two words', 'x'.repeat(65), '-rf', 'a"b', 'é'])(
      'are made where the given one is not plain: "%s"',
      async (id) => {
        const { headers } = await app.inject({
          url: '/health/live',
          headers: { 'x-request-id': id },
        });
        expect(headers['x-request-id']).toMatch(UUID);
      },
    );

    it('lead to the request in the log, without its query or body', async () => {
      await app.inject({
        method: 'POST',
        url: '/users?token=hidden-query',
        headers: { 'x-request-id': 'find-me' },
        payload: { username: 'hidden-body' },
      });
      const found = await eventually(() => {
        const record = records().find(({ requestId }) => requestId === 'find-me');
        if (!record) throw new Error('no such record');
        return Promise.resolve(record);
      });
      expect(found).toMatchObject({
        level: 'info',
        method: 'POST',
        path: '/users',
        route: '/users',
        status: 400,
      });
      expect(found['durationMs']).toBeGreaterThan(0);
      expect(lines.join('')).not.toContain('hidden-');
    });
  });

  describe('security headers', () => {
    it.each(['/health/live', '/metrics', '/docs', '/docs/json', '/users', '/nowhere'])(
      'are on %s',
      async (url) => {
        const { headers } = await app.inject({ url });
        expect(headers).toMatchObject({
          'x-content-type-options': 'nosniff',
          'x-frame-options': 'DENY',
          'referrer-policy': 'no-referrer',
          'content-security-policy': expect.stringMatching(
            /^default-src 'none';.*frame-ancestors 'none'/,
          ),
        });
        expect(headers['content-security-policy']).not.toMatch(/script-src[^;]*unsafe/);
        expect(headers).not.toHaveProperty('x-powered-by');
      },
    );
  });

  describe('health', () => {
    it('is live', async () => {
      const response = await app.inject({ url: '/health/live' });
      expect([response.statusCode, response.json()]).toEqual([200, { status: 'ok' }]);
      expect(response.headers['cache-control']).toBe('no-store');
    });

    it('is ready, and names what it needs', async () => {
      const response = await app.inject({ url: '/health/ready' });
      expect(response.statusCode).toBe(200);
      expect(response.json()).toMatchObject({
        status: 'ok',
        details: { database: { status: 'up' }, cache: { status: 'up' } },
      });
    });
  });

  describe('metrics', () => {
    it('measure requests by route, not by path', async () => {
      await app.inject({ url: '/users/2147483647' });
      await app.inject({ url: '/nowhere/else' });
      const text = await eventually(async () => {
        const response = await app.inject({ url: '/metrics' });
        expect(response.headers['content-type']).toMatch(/^text\/plain/);
        expect(response.body).toContain('route="unmatched",method="GET",status="404"');
        return response.body;
      });
      expect(text).toContain(
        'tidemark_http_request_duration_seconds_count{route="/users/:id",method="GET",status="404"}',
      );
      expect(text).not.toContain('2147483647');
      expect(text).not.toContain('/nowhere');
      expect(text).toContain('process_cpu_seconds_total');
      expect(text).toContain('tidemark_cache_hits_total');
    });

    it('count what the cache did', async () => {
      const hits = async () => {
        const { body } = await app.inject({ url: '/metrics' });
        return Number(/^tidemark_cache_hits_total\{level="L1"\} (\d+)$/m.exec(body)?.[1] ?? 0);
      };
      const before = await hits();
      await eventually(async () => {
        const { headers } = await app.inject({ url: '/regions' });
        expect(headers['cache-status']).toMatch(/^tidemark; hit/);
      });
      expect(await hits()).toBe(before + 1);
    });
  });

  describe('docs', () => {
    it('describe every route, and errors as problem documents', async () => {
      const document = (await app.inject({ url: '/docs/json' })).json<{
        openapi: string;
        info: { title: string; version: string };
        paths: Record<string, Record<string, { responses: Record<string, object> }>>;
        components: { schemas: Record<string, object> };
      }>();
      expect(document.info).toMatchObject({ title: 'Tidemark', version: expect.any(String) });
      expect(Object.keys(document.paths).toSorted()).toEqual([
        '/health/live',
        '/health/ready',
        '/metrics',
        '/regions',
        '/regions/{region}/move',
        '/users',
        '/users/batch',
        '/users/{id}',
      ]);
      expect(document.components.schemas['Problem']).toMatchObject({
        required: expect.arrayContaining(['type', 'title', 'status', 'detail']),
      });
      expect(document.paths['/users']?.['post']?.responses['409']).toMatchObject({
        content: {
          'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
        },
      });
    });

    it('have a page that loads from this service alone', async () => {
      const page = await app.inject({ url: '/docs' });
      expect(page.headers['content-type']).toMatch(/^text\/html/);
      const links = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => link);
      expect(links.length).toBeGreaterThan(2);
      for (const link of links) {
        expect(link).toMatch(/^\/docs\//);
        const { statusCode, body } = await app.inject({ url: String(link) });
        expect(statusCode).toBe(200);
        expect(body.length).toBeGreaterThan(0);
      }
    });
  });
});

describe('the service without its database', () => {
  it('says so, tells clients to come back, and recovers', async () => {
    const postgres = await PostgresServer.start();
    const { app, lines } = await startService(await postgres.createDatabase());
    try {
      await postgres.kill();
      const ready = await app.inject({ url: '/health/ready' });
      expect(ready.statusCode).toBe(503);
      expect(ready.json()).toMatchObject({
        status: 'error',
        details: { database: { status: 'down' }, cache: { status: 'up' } },
      });
      expect((await app.inject({ url: '/health/live' })).statusCode).toBe(200);
      const read = await app.inject({ url: '/users/1' });
      expect(read.statusCode).toBe(503);
      expect(read.headers['retry-after']).toBe('5');
      expect(read.json()).toMatchObject({ type: 'urn:tidemark:problem:database-unavailable' });
      expect(read.body).not.toMatch(/127\.0\.0\.1|ECONN/);
      await postgres.restart();
      await eventually(async () => {
        expect((await app.inject({ url: '/health/ready' })).statusCode).toBe(200);
      });
      expect((await app.inject({ url: '/users/1' })).statusCode).toBe(404);
      expect(lines.join('')).not.toMatch(/SELECT/);
    } finally {
      await app.close();
      await postgres.stop();
    }
  });
});
