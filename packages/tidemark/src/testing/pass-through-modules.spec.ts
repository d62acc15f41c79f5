/** The modules that an application imports beside its cache, in a test that has none. */
import { afterEach, expect, it } from 'vitest';
import { Controller, Get, type DynamicModule, type INestApplication } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { Registry } from 'prom-client';
import { CacheQuery, defineQuery } from '../index.js';
import { CacheMetricsModule } from '../metrics/index.js';
import { CachePageModule } from '../page/index.js';
import { CacheTracingModule } from '../tracing/index.js';
import { CacheTestingModule } from './index.js';

const TOKEN = 'a-token-of-more-than-16';

const birds = defineQuery({
  name: 'birds',
  build: (source, _: Record<string, never>) => source.createQueryBuilder('bird', 'b'),
});

@Controller('birds')
class BirdsController {
  @Get()
  @CacheQuery()
  list() {
    return birds.bind({});
  }
}

let app: INestApplication | undefined;
afterEach(() => app?.close());

async function start(module: DynamicModule): Promise<string> {
  const passThrough = CacheTestingModule.passThrough({ answers: { birds: ['tern'] } });
  const testing = await Test.createTestingModule({
    imports: [passThrough, module],
    controllers: [BirdsController],
  }).compile();
  app = testing.createNestApplication(new FastifyAdapter());
  app.useLogger(false);
  await app.listen(0, '127.0.0.1');
  return app.getUrl();
}

it.each<[name: string, module: () => DynamicModule]>([
  ['an open page', () => CachePageModule.forRoot({ token: TOKEN })],
  ['a closed page', () => CachePageModule.forRoot()],
  ['metrics', () => CacheMetricsModule.forRoot({ registry: new Registry() })],
  ['tracing', () => CacheTracingModule.forRoot()],
])('%s beside passThrough() changes no answer', async (_name, module) => {
  const url = await start(module());
  expect(await (await fetch(`${url}/birds`)).json()).toEqual(['tern']);
});

it('an open page beside passThrough() shows a cache without an instance', async () => {
  const url = await start(CachePageModule.forRoot({ token: TOKEN, allowActions: true }));
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(`${url}/tidemark/api/${path}`, {
      ...init,
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    });
  expect(await (await ask('overview')).json()).toMatchObject({ instances: [], savedMs: 0 });
  for (const path of ['queries', 'writes', 'regions']) {
    expect(await (await ask(path)).json()).toEqual([]);
  }
  expect((await ask('queries/birds')).status).toBe(404);
  const body = JSON.stringify({ mode: 'shadow' });
  expect((await ask('mode', { method: 'PUT', body })).status).toBe(409);
});
