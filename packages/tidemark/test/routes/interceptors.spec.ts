/**
 * Real: PostgreSQL. The output of interceptors is the same with the cache as without it, to the byte, on the miss and on
 * the hit.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ClassSerializerInterceptor, Scope } from '@nestjs/common';
import { APP_INTERCEPTOR, Reflector } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { ADAPTERS, startAdopter, type Adopter } from './adopter.js';
import { DRESSES, Envelope, Profile, profileControllers, PROFILES } from './profiles.js';
import { ask, expectSame } from './same-answers.js';

describe.each(ADAPTERS)('%s', (adapter) => {
  let adopter: Adopter;

  async function refill(): Promise<void> {
    await adopter.source.query('TRUNCATE profiles');
    await adopter.source.query(PROFILES);
  }

  describe('interceptors on routes and controllers', () => {
    beforeAll(async () => {
      adopter = await startAdopter({
        adapter,
        entities: [Profile],
        controllers: profileControllers(),
      });
    });

    afterAll(() => adopter.stop());

    beforeEach(refill);

    const { failing, skipping, ...answering } = DRESSES;

    it.each(Object.keys(answering))('%s', async (path) => {
      for (const route of ['one/1', 'all', 'home/1']) await expectSame(adopter, `${path}/${route}`);
    });

    it('the serializer leaves out the password and the fields of a group', async () => {
      const { body } = await expectSame(adopter, 'serializer-on-route/one/1');
      expect(JSON.parse(body)).toEqual({
        id: 1,
        name: 'ADA',
        since: '2020-02-02T02:02:02.000Z',
        greeting: 'Hello, ada',
      });
    });

    it('a field that a mask deletes is deleted from the answer of that request alone', async () => {
      await expectSame(adopter, 'mask/one/1');
      const other = await ask(adopter, '/cached/reader/one/1');
      expect(other).toMatchObject({ selects: 0, body: expect.stringContaining('ada@ex.com') });
      expect((await ask(adopter, '/cached/mask/one/1')).body).not.toContain('@');
    });

    it('a text is sent as a text', async () => {
      const { body, type } = await ask(adopter, '/plain/nothing/text/1');
      expect(body).toBe('ada');
      for (const hit of [false, false, true]) {
        const { selects, ...sent } = await ask(adopter, '/cached/nothing/text/1');
        expect(sent).toMatchObject({ status: 200, type, body });
        if (hit) expect(selects).toBe(0);
      }
    });

    it('that fail after the answer send an error, and that skip the handler send their own answer', async () => {
      expect(failing && skipping).toBeDefined();
      expect(await expectSame(adopter, 'failing/one/1')).toMatchObject({ status: 500 });
      for (const path of ['/plain/skipping/one/1', '/cached/skipping/one/1']) {
        expect(await ask(adopter, path)).toMatchObject({ body: '{"instead":true}', selects: 0 });
      }
    });

    it('keep the headers that they set, and no tag of other bytes is sent', async () => {
      await expectSame(adopter, 'reader/one/1');
      const { headers } = await ask(adopter, '/cached/reader/one/1');
      expect(headers).toMatchObject({
        'x-name': 'ada',
        vary: 'X-Name',
        'cache-control': 'private, no-cache',
      });
      expect(headers['cache-status']).toMatch(/^tidemark; hit/);
      // Express adds a weak tag of the bytes that it sends.
      expect(headers['etag'] ?? 'W/').toMatch(/^W\//);
      expect(headers).not.toHaveProperty('content-encoding');
    });

    it('are none: the stored bytes are sent under their tag', async () => {
      await expectSame(adopter, 'nothing/one/1');
      const { headers } = await ask(adopter, '/cached/nothing/one/1');
      const held = await ask(adopter, '/cached/nothing/one/1', {
        'if-none-match': String(headers['etag']),
      });
      expect(held).toMatchObject({ status: 304, body: '', selects: 0 });
    });
  });

  const GLOBALLY = [
    'interceptor-on-route',
    'interceptor-on-controller',
    'serializer-on-controller',
    'mask',
  ];

  describe('global interceptors', () => {
    beforeAll(async () => {
      adopter = await startAdopter({
        adapter,
        entities: [Profile],
        controllers: profileControllers(GLOBALLY),
        providers: [{ provide: APP_INTERCEPTOR, useClass: Envelope, scope: Scope.REQUEST }],
        configure: (app) =>
          app.useGlobalInterceptors(new ClassSerializerInterceptor(app.get(Reflector))),
      });
    });

    afterAll(() => adopter.stop());

    beforeEach(refill);

    it.each(GLOBALLY)('%s', async (path) => {
      const { body } = await expectSame(adopter, `${path}/one/1`);
      expect(JSON.parse(body)).toMatchObject({ data: { name: 'ADA' } });
      await expectSame(adopter, `${path}/all`);
    });
  });
});

describe('hooks of Fastify', () => {
  let adopter: Adopter;

  beforeAll(async () => {
    adopter = await startAdopter({
      entities: [Profile],
      controllers: profileControllers(['nothing']),
      configure: (app) => {
        const server = app.getHttpAdapter().getInstance() as FastifyInstance;
        server.addHook('preSerialization', async (_request, _reply, data) => ({ data }));
        server.addHook('onSend', async (_request, _reply, body) => `${String(body)}\n`);
      },
    });
  });

  afterAll(() => adopter.stop());

  it('see the value, and then its JSON text', async () => {
    await adopter.source.query(PROFILES);
    const { body } = await expectSame(adopter, 'nothing/one/1');
    expect(body).toMatch(/^{"data":{"id":1,.*}}\n$/);
  });
});
