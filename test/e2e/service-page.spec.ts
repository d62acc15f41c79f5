/** The page of the cache in the service: its headers, its errors, and what the log has of it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createDatabase } from '../support/shared-postgres.js';
import { startLoggedService, type LoggedService } from './support/logged-service.js';

const TOKEN = 'a-token-of-more-than-16';

let service: LoggedService;
let app: NestFastifyApplication;

beforeAll(async () => {
  service = await startLoggedService(await createDatabase(), { CACHE_ADMIN_TOKEN: TOKEN });
  ({ app } = service);
});

afterAll(() => app.close());

const session = (headers: Record<string, string>, payload: string) =>
  app.inject({ method: 'POST', url: '/tidemark/api/session', headers, payload });

it('has a policy that lets its script run, beside the headers of all answers', async () => {
  const { headers } = await app.inject({ url: '/tidemark/' });
  expect(headers).toMatchObject({
    'content-security-policy': expect.stringContaining("script-src 'self';"),
    'x-request-id': expect.any(String),
    'strict-transport-security': expect.any(String),
  });
});

it('answers with the token, and a wrong method with 405', async () => {
  const headers = { authorization: `Bearer ${TOKEN}` };
  const overview = await app.inject({ url: '/tidemark/api/overview', headers });
  expect(overview.json()).toMatchObject({ allowActions: false, dataSources: ['default'] });
  const posted = await app.inject({ method: 'POST', url: '/tidemark/api/overview', headers });
  expect([posted.statusCode, posted.headers['allow']]).toEqual([405, 'GET, HEAD']);
  const acted = await app.inject({
    method: 'PUT',
    url: '/tidemark/api/mode',
    headers,
    payload: { mode: 'shadow' },
  });
  expect([acted.statusCode, acted.json()]).toEqual([
    403,
    expect.objectContaining({ type: 'urn:tidemark:problem:actions-off' }),
  ]);
});

it('refuses a form of another site, whatever it calls itself', async () => {
  const site = { 'sec-fetch-site': 'cross-site' };
  const json = await session(
    { ...site, 'content-type': 'application/json' },
    `{"token":"${TOKEN}"}`,
  );
  expect(json.statusCode).toBe(403);
  for (const type of ['application/x-www-form-urlencoded', 'text/plain']) {
    const form = await session({ ...site, 'content-type': type }, `token=${TOKEN}`);
    expect(form.statusCode).toBe(415);
    expect(form.headers).not.toHaveProperty('set-cookie');
  }
});

it('logs neither a token nor a cookie', async () => {
  const type = { 'content-type': 'application/json' };
  const { headers } = await session(type, JSON.stringify({ token: TOKEN }));
  const cookie = String(headers['set-cookie']).split(';')[0] ?? '';
  expect(cookie).toMatch(/^tidemark-page=./);
  const read = await app.inject({ url: '/tidemark/api/queries', headers: { cookie } });
  expect(read.statusCode).toBe(200);
  const wrong = 'another-of-more-than-16';
  expect((await session(type, JSON.stringify({ token: wrong }))).statusCode).toBe(401);
  const log = service.lines.join('');
  expect(log).toContain('/tidemark/api/session');
  for (const secret of [TOKEN, wrong, cookie.slice('tidemark-page='.length)]) {
    expect(log).not.toContain(secret);
  }
});

it('is closed without a token, and says how to open it', async () => {
  const closed = await startLoggedService(await createDatabase());
  try {
    for (const url of ['/tidemark', '/tidemark/', '/tidemark/page.js', '/tidemark/api/live']) {
      const answer = await closed.app.inject({ url });
      expect([url, answer.statusCode]).toEqual([url, 404]);
      expect(answer.json()).toMatchObject({ detail: expect.stringContaining('token') });
    }
  } finally {
    await closed.app.close();
  }
});
