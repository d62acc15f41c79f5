/** Real: PostgreSQL. Headers of the application and of the cache on the same answer. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  Controller,
  Get,
  Header,
  HttpCode,
  Param,
  UseGuards,
  type CanActivate,
  type ExecutionContext,
  type INestApplication,
} from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import { CacheQuery, defineQuery, type BoundQuery } from '../../src/index.js';
import { ADAPTERS, startAdopter, type Adopter, type Reply } from './adopter.js';
import { Profile, profileById, PROFILES } from './profiles.js';
import { ask, type Sent } from './same-answers.js';

const linked = defineQuery({
  name: 'profile.linked',
  shape: 'one',
  build: (source, { id }: { id: number }) =>
    source.getRepository(Profile).createQueryBuilder('profile').where({ id }),
  headers: () => ({ link: '</next>; rel="next"' }),
});

const uncached = defineQuery({
  name: 'profile.uncached',
  build: (source, _: object) =>
    source.getRepository(Profile).createQueryBuilder('profile').where('random() >= 0'),
});

let visits = 0;

class Varying implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    context.switchToHttp().getResponse<Reply>().header('Vary', 'Authorization');
    return true;
  }
}

@Controller()
class DescribedController {
  @Get('guarded/:id')
  @UseGuards(Varying)
  @CacheQuery()
  guarded(@Param('id') id: string): BoundQuery {
    return linked.bind({ id: Number(id) });
  }

  @Get('secret/:id')
  @CacheQuery()
  @Header('Cache-Control', 'no-store')
  secret(@Param('id') id: string): BoundQuery {
    return profileById.bind({ id: Number(id) });
  }

  @Get('public/:id')
  @CacheQuery()
  @Header('Cache-Control', 'public, max-age=60, no-transform')
  @Header('Cache-Status', 'upstream; fwd=miss')
  public(@Param('id') id: string): BoundQuery {
    return profileById.bind({ id: Number(id) });
  }

  @Get('hal/:id')
  @CacheQuery()
  @Header('Content-Type', 'application/hal+json')
  @HttpCode(202)
  hal(@Param('id') id: string): BoundQuery {
    return profileById.bind({ id: Number(id) });
  }

  @Get('tagged/:id')
  @CacheQuery()
  @Header('ETag', '"own"')
  @Header('Age', '1000000')
  tagged(@Param('id') id: string): BoundQuery {
    return profileById.bind({ id: Number(id) });
  }

  @Get('uncached')
  @UseGuards(Varying)
  @CacheQuery()
  @Header('Cache-Control', 'no-store')
  uncached(): BoundQuery {
    return uncached.bind({});
  }
}

describe.each(ADAPTERS)('%s', (adapter) => {
  let adopter: Adopter;

  function configure(app: INestApplication): void {
    app.enableCors({ origin: ['https://a.example'] });
    app.use((_request: unknown, response: ServerResponse, next: () => void) => {
      response.setHeader('x-middleware', 'ran');
      response.setHeader('set-cookie', `visit=${(visits += 1)}`);
      next();
    });
  }

  beforeAll(async () => {
    adopter = await startAdopter({
      adapter,
      entities: [Profile],
      controllers: [DescribedController],
      configure,
    });
    await adopter.source.query(PROFILES);
  });

  afterAll(() => adopter.stop());

  /** The answer to a miss, a hit, a conditional hit and a miss of no row. */
  async function four(path: string): Promise<readonly Sent[]> {
    const miss = await ask(adopter, `/${path}/1`);
    const hit = await ask(adopter, `/${path}/1`);
    const etag = String(hit.headers['etag']);
    const held = await ask(adopter, `/${path}/1`, { 'if-none-match': etag });
    const absent = await ask(adopter, `/${path}/9`);
    expect([hit.selects, held.selects, absent.status]).toEqual([0, 0, 404]);
    return [miss, hit, held, absent];
  }

  it('Vary has all names that were set, also on 304, 404 and past the cache', async () => {
    const [miss, hit, held, absent] = await four('guarded');
    expect(held?.status).toBe(304);
    const past = await ask(adopter, '/uncached');
    expect(past.headers['cache-status']).toContain('fwd=bypass');
    for (const sent of [miss, hit, held, absent, past]) {
      const names = String(sent?.headers['vary']).split(', ').toSorted();
      expect(names).toEqual(expect.arrayContaining(['Accept-Encoding', 'Authorization']));
      expect(sent?.headers).toMatchObject({ 'x-middleware': 'ran' });
    }
    expect(held?.headers).toMatchObject({
      link: '</next>; rel="next"',
      etag: hit?.headers['etag'],
    });
  });

  it('Vary: Origin of CORS stays', async () => {
    for (const origin of ['https://a.example', 'https://b.example']) {
      const { headers } = await ask(adopter, '/secret/1', { origin });
      expect(headers['vary']).toBe('Origin, Accept-Encoding');
    }
  });

  it('each answer has the cookie of its own request', async () => {
    const cookies = (await four('guarded')).map(({ headers }) => headers['set-cookie']);
    expect(cookies).toEqual([3, 2, 1, 0].map((before) => [`visit=${visits - before}`]));
  });

  it('no-store of a route stays, also on 304, 404 and past the cache', async () => {
    for (const { headers } of [...(await four('secret')), await ask(adopter, '/uncached')]) {
      expect(headers['cache-control']).toBe('no-store');
    }
  });

  it('Cache-Control of a route stays whole, and its Cache-Status is added to', async () => {
    for (const { headers } of await four('public')) {
      expect(headers['cache-control']).toBe('public, max-age=60, no-transform');
      expect(headers['cache-status']).toMatch(/^upstream; fwd=miss, tidemark; /);
    }
  });

  it('the content type and the status of a route stay', async () => {
    const [miss, hit, held] = await four('hal');
    const same = { status: 202, type: 'application/hal+json; charset=utf-8', body: miss?.body };
    expect([miss, hit]).toMatchObject([same, same]);
    expect(held).toMatchObject({ status: 304, type: undefined });
  });

  it('the entity tag of a route stays and is left to the adapter, and its greater age stays', async () => {
    const [miss, hit, held] = await four('tagged');
    expect([miss?.status, hit?.status]).toEqual([200, 200]);
    // Express compares the tags of routes itself.
    expect(held?.status).toBe(adapter === 'express' ? 304 : 200);
    for (const { headers } of [miss, hit, held] as Sent[]) {
      expect(headers['etag']).toBe('"own"');
      expect(headers['age']).toBe('1000000');
      expect(headers).not.toHaveProperty('content-encoding');
    }
  });
});
