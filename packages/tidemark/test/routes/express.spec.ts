/** Real: PostgreSQL, HTTP. Middleware and settings of Express that see or encode bodies. */
import { gunzipSync, inflateSync } from 'node:zlib';
import { afterEach, expect, it } from 'vitest';
import type { INestApplication } from '@nestjs/common';
import compression from 'compression';
import type { Application } from 'express';
import helmet from 'helmet';
import { startAdopter, type Adopter } from './adopter.js';
import { Profile, profileControllers, PROFILES } from './profiles.js';
import { ask, expectSame } from './same-answers.js';

const CACHED = '/cached/nothing/all';
/** So many that the answer is compressed. */
const MANY = `INSERT INTO profiles SELECT n, 'user ' || n, 'secret', 'u@ex.com', now() FROM generate_series(3, 60) n`;

let adopter: Adopter;

async function start(configure?: (app: INestApplication) => unknown): Promise<void> {
  adopter = await startAdopter({
    adapter: 'express',
    entities: [Profile],
    controllers: profileControllers(['nothing']),
    ...(configure && { configure }),
  });
  await adopter.source.query(PROFILES);
  await adopter.source.query(MANY);
}

afterEach(() => adopter.stop());

type Sender = (this: object, ...args: unknown[]) => unknown;

/** Middleware that replaces a method of the response by one that a package may give it. */
const replacing =
  (name: 'json' | 'send' | 'end', change: (body: unknown) => unknown) =>
  (app: INestApplication): unknown =>
    app.use((_request: unknown, response: Record<string, Sender>, next: () => void) => {
      const send = response[name];
      response[name] = function (body, ...rest): unknown {
        return send?.call(this, change(body), ...rest);
      };
      next();
    });

/** An application that replaces a method of all its responses, under the same name. */
const enveloping = (app: INestApplication): void => {
  const { response } = app.getHttpAdapter().getInstance() as {
    response: Record<'json', Sender>;
  };
  const send = response.json;
  response.json = function json(data: unknown): unknown {
    return send.call(this, { data });
  };
};

const setting =
  (name: string, value: unknown) =>
  (app: INestApplication): unknown =>
    (app.getHttpAdapter().getInstance() as Application).set(name, value);

const renamed = (body: unknown): unknown => String(body).replace('ada', 'eve');

it.each<[string, (app: INestApplication) => unknown]>([
  ['json replacer', setting('json replacer', ['id'])],
  ['json spaces', setting('json spaces', 2)],
  ['json escape', setting('json escape', true)],
  ['an application that replaces json', enveloping],
  ['middleware that replaces json', replacing('json', (data) => ({ data }))],
  ['middleware that replaces send', replacing('send', (body) => body)],
  ['middleware that replaces end', replacing('end', (body) => body)],
])(
  '%s: the answer is what is sent without the cache, without a strong tag',
  async (_, configure) => {
    await start(configure);
    const { body } = await expectSame(adopter, 'nothing/all');
    expect(body).toContain('60');
    const { headers } = await ask(adopter, CACHED);
    expect(headers['etag']).toMatch(/^W\//);
    expect(headers['cache-status']).toMatch(/^tidemark; hit/);
  },
);

it('middleware that adds headers alone, such as helmet: the stored bytes are sent', async () => {
  await start((app) => app.use(helmet()));
  await expectSame(adopter, 'nothing/all');
  const { headers } = await ask(adopter, CACHED);
  expect(headers).toMatchObject({
    etag: expect.stringMatching(/^"[^"]+-br"$/),
    'content-encoding': 'br',
    'x-content-type-options': 'nosniff',
  });
  const held = await ask(adopter, CACHED, { 'if-none-match': String(headers['etag']) });
  expect(held).toMatchObject({ status: 304, body: '', selects: 0 });
});

it('the package compression: each body is compressed once, and has one tag', async () => {
  await start((app) => app.use(compression()));
  const { body } = await expectSame(adopter, 'nothing/all');
  const decode = { gzip: gunzipSync, deflate: inflateSync } as const;
  for (const coding of ['gzip', 'deflate'] as const) {
    const headers = { 'accept-encoding': coding };
    const sent = await adopter.inject({ url: CACHED, headers });
    expect(sent.headers).toMatchObject({
      'content-encoding': coding,
      vary: 'Accept-Encoding',
      etag: expect.stringMatching(coding === 'gzip' ? /^"[^"]+-gzip"$/ : /^W\/"[^"]+"$/),
    });
    expect(decode[coding](sent.rawPayload).toString()).toBe(body);
    const held = { ...headers, 'if-none-match': String(sent.headers['etag']) };
    expect(await adopter.inject({ url: CACHED, headers: held })).toMatchObject({
      statusCode: 304,
      body: '',
      headers: { etag: sent.headers['etag'] },
    });
  }
  const { headers } = await ask(adopter, '/cached/nothing/one/1');
  expect(headers).not.toHaveProperty('content-encoding');
  expect(headers['etag']).toMatch(/^"/);
});

it('middleware that replaces the end of compression: the answer is what is sent without the cache', async () => {
  await start((app) => {
    app.use(compression());
    replacing('end', renamed)(app);
  });
  for (const path of ['/plain/nothing/all', CACHED, CACHED]) {
    const { body } = await ask(adopter, path, { 'accept-encoding': 'identity' });
    expect(body).toContain('eve');
  }
});
