/**
 * Real: PostgreSQL. Nest's pipeline around a handler is the same whether it returns a query or the query's answer, and
 * at each place of the cache: `@CacheQuery`, or `CacheInterceptor` on the handler, the controller or the application.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  Controller,
  Get,
  Param,
  ParseIntPipe,
  Scope,
  UseInterceptors,
  VersioningType,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { catchError, of, type Observable } from 'rxjs';
import { CacheInterceptor, CacheQuery, seconds } from '../../src/index.js';
import { FEWER_ADAPTERS, startAdopter, type Adopter } from './adopter.js';
import { Around, controllerOf, profile, steps, type Place } from './pipeline.controllers.js';
import { Profile, PROFILES } from './profiles.js';
import { ask, expectSame } from './same-answers.js';

const CACHED: Readonly<Record<string, Place>> = {
  '@CacheQuery': { onHandler: CacheQuery() },
  'CacheInterceptor on the handler': { onHandler: UseInterceptors(CacheInterceptor) },
  'CacheInterceptor on the controller': { onController: UseInterceptors(CacheInterceptor) },
  'CacheInterceptor on the application': {},
};

const PATHS = ['read/1', 'inherited/1', 'filtered/1', 'validated?id=1'];

const PLACES = FEWER_ADAPTERS.flatMap((adapter) =>
  Object.entries(CACHED).map(([name, place]) => [adapter, name, place] as const),
);

describe.each(PLACES)('%s, %s', (adapter, name, place) => {
  let adopter: Adopter;

  beforeAll(async () => {
    const isGlobal = name.endsWith('application');
    adopter = await startAdopter({
      adapter,
      entities: [Profile],
      controllers: [
        controllerOf('plain', undefined),
        controllerOf('cached', place),
        controllerOf('cached-scoped', place, { scope: Scope.REQUEST }),
      ],
      providers: isGlobal ? [{ provide: APP_INTERCEPTOR, useClass: CacheInterceptor }] : [],
      configure: (app) => app.enableVersioning({ type: VersioningType.HEADER, header: 'version' }),
    });
    await adopter.source.query(PROFILES);
  });

  afterAll(() => adopter.stop());

  it.each(PATHS)('answers %s as without the cache', async (path) => {
    await adopter.source.query('UPDATE profiles SET name = name');
    const { status } = await expectSame(adopter, path);
    expect(status).toBe(path === 'read/1' ? 203 : 200);
  });

  it.each(['read/9', 'filtered/9', 'read/x', 'validated?id=x', 'versioned/1'])(
    'fails for %s as without the cache, on the route that has a filter by this filter',
    async (path) => {
      const { status, type, ...plain } = await ask(adopter, `/plain/${path}`);
      const body = plain.body.replace('/plain/', '/cached/');
      for (let time = 1; time <= 2; time += 1) {
        expect(await ask(adopter, `/cached/${path}`)).toMatchObject({ status, type, body });
      }
      expect(status).toBe(path === 'filtered/9' ? 410 : path.endsWith('x') ? 400 : 404);
    },
  );

  it('answers queries from an Observable, a versioned route, and a request-scoped controller', async () => {
    const { body } = await ask(adopter, '/plain/read/2');
    for (const path of ['cached/emitted/2', 'cached/versioned/2', 'cached-scoped/read/2']) {
      await ask(adopter, `/${path}`, { version: '2' });
      const hit = await ask(adopter, `/${path}`, { version: '2' });
      expect(hit).toMatchObject({ body, selects: 0 });
      expect(hit.headers['cache-status']).toMatch(/^tidemark; hit/);
    }
  });

  it.each(['file', 'events'])('lets other answers pass: %s', async (path) => {
    const { status, type, body } = await ask(adopter, `/plain/${path}`);
    expect(await ask(adopter, `/cached/${path}`)).toMatchObject({ status, type, body });
  });

  it('HEAD and 304 have the headers of GET and no body', async () => {
    const { headers } = await ask(adopter, '/cached/read/1');
    const head = await adopter.inject({ method: 'HEAD', url: '/cached/read/1' });
    expect(head).toMatchObject({ statusCode: 203, body: '' });
    const etag = String(headers['etag']);
    const held = await ask(adopter, '/cached/read/1', { 'if-none-match': etag });
    expect(held).toMatchObject({ status: 304, body: '', headers: { etag, 'x-shelf': 'top' } });
  });

  it("runs guards, interceptors and pipes on a hit, in Nest's order", async () => {
    await ask(adopter, '/plain/stepped/1');
    const without = steps.splice(0);
    await ask(adopter, '/cached/stepped/1');
    steps.length = 0;
    expect(await ask(adopter, '/cached/stepped/1')).toMatchObject({ status: 200, selects: 0 });
    expect(steps.splice(0)).toEqual(without);
    expect(without).toEqual(['guard', 'before', 'pipe', 'handler', 'after']);
  });
});

/** Answers 404 itself, as an interceptor that maps errors does. */
class Forgiving implements NestInterceptor {
  intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(catchError(() => of({ forgiven: true })));
  }
}

@Controller('order')
@CacheQuery({ ttl: seconds(70), emptyTtl: seconds(20) })
class OrderController {
  @Get('around/:id')
  @UseInterceptors(Forgiving, CacheInterceptor)
  around(@Param('id', ParseIntPipe) id: number): unknown {
    return profile.bind({ id });
  }

  @Get('inside/:id')
  @UseInterceptors(CacheInterceptor, Around)
  inside(@Param('id', ParseIntPipe) id: number): unknown {
    return profile.bind({ id });
  }

  @Get('kept/:id')
  @CacheQuery({ ttl: seconds(90) })
  kept(@Param('id', ParseIntPipe) id: number): unknown {
    return profile.bind({ id });
  }
}

describe.each(FEWER_ADAPTERS)(
  '%s: CacheInterceptor beside another one, and @CacheQuery on a controller',
  (adapter) => {
    let adopter: Adopter;

    beforeAll(async () => {
      adopter = await startAdopter({
        adapter,
        entities: [Profile],
        controllers: [OrderController],
      });
      await adopter.source.query(PROFILES);
    });

    afterAll(() => adopter.stop());

    it("an interceptor around it sees the query's error, one inside sees the query", async () => {
      expect((await ask(adopter, '/order/around/9')).body).toBe('{"forgiven":true}');
      await ask(adopter, '/order/inside/1');
      expect(await ask(adopter, '/order/inside/1')).toMatchObject({
        selects: 0,
        headers: { etag: expect.stringMatching(/^"/) },
      });
    });

    it.each([
      ['/order/kept/2', 90],
      ['/order/kept/8', 20],
      ['/order/inside/2', 70],
    ])('%s is kept for %i s: options of the handler, then of the controller', async (url, ttl) => {
      // The routes ask for one entry.
      await adopter.source.query('UPDATE profiles SET name = name');
      await ask(adopter, url);
      const { headers } = await ask(adopter, url);
      const left = Number(/ttl=(\d+)/.exec(String(headers['cache-status']))?.[1]);
      expect([ttl, ttl - 1, ttl - 2, ttl - 3]).toContain(left);
    });
  },
);
