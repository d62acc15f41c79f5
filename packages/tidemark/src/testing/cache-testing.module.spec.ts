import { afterEach, describe, expect, it } from 'vitest';
import {
  Controller,
  Get,
  Injectable,
  Query,
  UseInterceptors,
  type INestApplication,
} from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { DataSource } from 'typeorm';
import {
  CacheEvents,
  CacheHealth,
  CacheInterceptor,
  CacheQuery,
  defineQuery,
  QueryCache,
} from '../index.js';
import {
  CacheTestingModule,
  fakeQueryCache,
  outcomesOf,
  type PassThroughOptions,
} from './index.js';

interface Bird {
  readonly id: number;
  readonly name: string;
}

const birdsIn = defineQuery({
  name: 'birds.in',
  build: (source, p: { place: string }) => source.createQueryBuilder<Bird>(p.place, 'b'),
  map: ({ name }) => ({ name }),
  headers: (rows) => ({ 'x-birds': String(rows.length) }),
});

const bird = defineQuery({
  name: 'birds.one',
  shape: 'one',
  build: (source, p: { id: number }) => source.createQueryBuilder<Bird>(String(p.id), 'b'),
  absent: ({ id }) => `There is no bird ${id}.`,
});

@Injectable()
class BirdsService {
  constructor(private readonly cache: QueryCache) {}

  namesIn(place: string): Promise<{ name: string }[]> {
    return this.cache.run(birdsIn.bind({ place }));
  }
}

@Controller('birds')
class BirdsController {
  constructor(private readonly birds: BirdsService) {}

  @Get()
  @CacheQuery({ ttl: 1_000 })
  list(@Query('place') place: string) {
    return birdsIn.bind({ place });
  }

  @Get('one')
  @UseInterceptors(CacheInterceptor)
  one() {
    return bird.bind({ id: 7 });
  }

  @Get('names')
  names() {
    return this.birds.namesIn('sea');
  }
}

/** A data source whose builders have these rows, as a test of a service might make one. */
function stubOf(rows: readonly Bird[]): DataSource {
  const builder = { getMany: async () => rows, getOne: async () => rows[0] ?? null };
  return { createQueryBuilder: () => builder } as unknown as DataSource;
}

let app: INestApplication | undefined;

async function start(
  options: PassThroughOptions,
  provided?: DataSource,
  adapter: AbstractHttpAdapter = new FastifyAdapter(),
): Promise<INestApplication> {
  const testing = await Test.createTestingModule({
    imports: [CacheTestingModule.passThrough(options)],
    controllers: [BirdsController],
    providers: [BirdsService, ...(provided ? [{ provide: DataSource, useValue: provided }] : [])],
  }).compile();
  app = testing.createNestApplication(adapter);
  app.useLogger(false);
  await app.listen(0, '127.0.0.1');
  return app;
}

async function get(started: INestApplication, path: string) {
  const response = await fetch((await started.getUrl()) + path);
  return { status: response.status, headers: response.headers, body: await response.json() };
}

afterEach(async () => {
  await app?.close();
  app = undefined;
});

describe('CacheTestingModule.passThrough', () => {
  it.each([
    ['Fastify', () => new FastifyAdapter()],
    ['Express', () => new ExpressAdapter()],
  ])('on %s handlers send the given answers, with their headers', async (_name, adapter) => {
    const answers = {
      'birds.in': ({ place }: { place: string }) => [{ name: `${place} gull` }],
      'birds.one': null,
    };
    const started = await start({ answers }, undefined, adapter());
    const list = await get(started, '/birds?place=sea');
    expect([list.status, list.body]).toEqual([200, [{ name: 'sea gull' }]]);
    expect(list.headers.get('cache-status')).toContain('fwd=bypass; detail=disabled');
    expect(list.headers.get('x-birds')).toBe('1');
    const absent = await get(started, '/birds/one');
    expect(absent.status).toBe(404);
    expect(absent.body).toMatchObject({ message: 'There is no bird 7.' });
    expect((await get(started, '/birds/names')).body).toEqual([{ name: 'sea gull' }]);
  });

  it('a query without a given answer runs over the stub of a data source', async () => {
    const started = await start({}, stubOf([{ id: 7, name: 'tern' }]));
    const outcomes = outcomesOf(started.get(QueryCache));
    expect((await get(started, '/birds?place=sea')).body).toEqual([{ name: 'tern' }]);
    expect((await get(started, '/birds/one')).body).toEqual({ id: 7, name: 'tern' });
    outcomes.expect('birds.in', 'bypass: disabled');
    outcomes.expect('birds.one', 'bypass: disabled');
  });

  it('the option dataSource precedes the provided one', async () => {
    const started = await start({ dataSource: stubOf([]) }, stubOf([{ id: 7, name: 'tern' }]));
    expect((await get(started, '/birds?place=sea')).body).toEqual([]);
  });

  it('health is up, and the events are those of the cache', async () => {
    const started = await start({});
    expect(started.get(CacheHealth).check()).toEqual({ status: 'up' });
    expect(started.get(CacheEvents)).toBe(started.get(QueryCache).events);
  });
});

describe('fakeQueryCache', () => {
  it('run resolves with the given answer of the query', async () => {
    const cache = fakeQueryCache({ 'birds.in': [{ name: 'auk' }] });
    await expect(new BirdsService(cache).namesIn('sea')).resolves.toEqual([{ name: 'auk' }]);
  });

  it('run rejects with the error of a function that throws', async () => {
    const cache = fakeQueryCache({
      'birds.in': () => {
        throw new Error('The database is away.');
      },
    });
    await expect(new BirdsService(cache).namesIn('sea')).rejects.toThrow('The database is away.');
  });

  it('run without an answer rejects with an error that names the query and the remedy', async () => {
    const cache = fakeQueryCache({ 'birds.inn': [] });
    await expect(new BirdsService(cache).namesIn('sea')).rejects.toThrow(
      "The test has no answer for the query birds.in: give one by its name, as { 'birds.in': ... }",
    );
  });

  it('invalidate emits its event, and explain names the module that explains', async () => {
    const cache = fakeQueryCache();
    const emitted: unknown[] = [];
    cache.events.on('invalidated', (event) => emitted.push(event));
    await cache.invalidate([{ table: 'public.birds' }]);
    const regions = [{ table: 'public.birds', names: ['*'] }];
    expect(emitted).toMatchObject([{ source: 'invalidate', regions }]);
    expect(() => cache.explain(bird.bind({ id: 1 }))).toThrow('CacheTestingModule.inMemory()');
  });
});
