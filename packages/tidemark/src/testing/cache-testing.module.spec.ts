import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Injectable, Query, UseInterceptors } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { DataSource, type SelectQueryBuilder } from 'typeorm';
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
  build: (source, p: { place: string }) =>
    source.createQueryBuilder<Bird>(String(p.place), 'b') as SelectQueryBuilder<Bird>,
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

let app: NestFastifyApplication | undefined;

async function start(
  options: PassThroughOptions,
  provided?: DataSource,
): Promise<NestFastifyApplication> {
  const testing = await Test.createTestingModule({
    imports: [CacheTestingModule.passThrough(options)],
    controllers: [BirdsController],
    providers: [BirdsService, ...(provided ? [{ provide: DataSource, useValue: provided }] : [])],
  }).compile();
  app = testing.createNestApplication<NestFastifyApplication>(new FastifyAdapter());
  app.useLogger(false);
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  return app;
}

afterEach(async () => {
  await app?.close();
  app = undefined;
});

describe('CacheTestingModule.passThrough', () => {
  it('handlers answer the given answers, with their headers and Cache-Status: bypass', async () => {
    const started = await start({
      answers: {
        'birds.in': ({ place }: { place: string }) => [{ name: `${place} gull` }],
        'birds.one': null,
      },
    });
    const list = await started.inject('/birds?place=sea');
    expect([list.statusCode, list.json()]).toEqual([200, [{ name: 'sea gull' }]]);
    expect(list.headers['cache-status']).toContain('fwd=bypass; detail=disabled');
    expect(list.headers['x-birds']).toBe('1');
    const absent = await started.inject('/birds/one');
    expect([absent.statusCode, absent.json().message]).toEqual([404, 'There is no bird 7.']);
    expect((await started.inject('/birds/names')).json()).toEqual([{ name: 'sea gull' }]);
  });

  it('a query without a given answer runs over the stub of a data source', async () => {
    const started = await start({}, stubOf([{ id: 7, name: 'tern' }]));
    const outcomes = outcomesOf(started.get(QueryCache));
    expect((await started.inject('/birds?place=sea')).json()).toEqual([{ name: 'tern' }]);
    expect((await started.inject('/birds/one')).json()).toEqual({ id: 7, name: 'tern' });
    outcomes.expect('birds.in', 'bypass: disabled');
    outcomes.expect('birds.one', 'bypass: disabled');
  });

  it('the option dataSource precedes the provided one', async () => {
    const started = await start({ dataSource: stubOf([]) }, stubOf([{ id: 7, name: 'tern' }]));
    expect((await started.inject('/birds?place=sea')).json()).toEqual([]);
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
    expect(emitted).toEqual([{ tables: 1, versions: 1 }]);
    expect(() => cache.explain(bird.bind({ id: 1 }))).toThrow('CacheTestingModule.inMemory()');
  });
});
