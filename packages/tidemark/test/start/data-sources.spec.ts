/** A cache for each data source of an application. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Controller, Get, Injectable, Module, UseInterceptors } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import {
  CacheHealth,
  CacheInterceptor,
  CacheInvalidationModule,
  CacheQuery,
  defineQuery,
  getCacheToken,
  getQueryCacheToken,
  InjectQueryCache,
  OtherDataSourceError,
  OutboxRelay,
  QueryCache,
  QueryCacheModule,
} from '../../src/index.js';
import { outcomesOf } from '../../src/testing/index.js';
import { eventually } from '../../../../test/support/eventually.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { Part, parts } from './started-application.js';

const reports = defineQuery({
  name: 'reports',
  dataSource: 'reporting',
  build: (source, _: Record<string, never>) =>
    source.getRepository(Part).createQueryBuilder('p').orderBy('p.id'),
  map: ({ name }: Part) => name,
}).bind({});

const SOURCES = ['default', 'reporting', 'plain'] as const;
const sourceToken = (name: string) => (name === 'default' ? DataSource : `${name}DataSource`);

@Injectable()
class Reports {
  constructor(@InjectQueryCache('reporting') readonly cache: QueryCache) {}
}

@Controller()
class Routes {
  static app: NestFastifyApplication;

  @Get('parts')
  @CacheQuery()
  parts() {
    return parts;
  }

  @Get('reports')
  @CacheQuery()
  reports() {
    return reports;
  }

  @Get('builder')
  @UseInterceptors(CacheInterceptor)
  builder() {
    const source = Routes.app.get<DataSource>(sourceToken('reporting'));
    return source.getRepository(Part).createQueryBuilder('p');
  }
}

@Module({ controllers: [Routes], providers: [Reports] })
class Feature {}

let app: NestFastifyApplication;

beforeEach(async () => {
  const testing = await Test.createTestingModule({
    imports: [
      ...(await Promise.all(
        SOURCES.map(async (name) =>
          TypeOrmModule.forRoot({
            ...(name !== 'default' && { name }),
            type: 'postgres',
            url: await createDatabase(),
            entities: [Part],
            synchronize: true,
            retryAttempts: 0,
          }),
        ),
      )),
      QueryCacheModule.forRoot(),
      CacheInvalidationModule.forRoot(),
      QueryCacheModule.forRootAsync({ dataSource: 'reporting', useFactory: () => ({}) }),
      CacheInvalidationModule.forRootAsync({ dataSource: 'reporting', useFactory: () => ({}) }),
      Feature,
    ],
  }).compile();
  app = testing.createNestApplication<NestFastifyApplication>(new FastifyAdapter());
  app.useLogger(false);
  Routes.app = app;
  for (const name of SOURCES) {
    await app.get<DataSource>(sourceToken(name)).query(`INSERT INTO parts VALUES (1, '${name}')`);
  }
  await app.init();
});

afterEach(() => app.close());

const reporting = () => app.get<QueryCache>(getQueryCacheToken('reporting'));
const get = async (url: string) => {
  const { headers, body } = await app.inject({ method: 'GET', url });
  return { body: JSON.parse(body) as unknown, status: headers['cache-status'] };
};

describe('two data sources with caches', () => {
  it('are answered from their own databases and caches, and a write over one ends its answers alone', async () => {
    const own = outcomesOf(app.get(QueryCache));
    const others = outcomesOf(reporting());
    expect(app.get(Reports).cache).toBe(reporting());
    await eventually(async () => {
      own.clear();
      others.clear();
      expect(await app.get(QueryCache).run(parts)).toEqual(['default']);
      expect(await reporting().run(reports)).toEqual(['reporting']);
      expect([own.of('parts'), others.of('reports')]).toEqual([['L1'], ['L1']]);
    });
    await app.get<DataSource>('reportingDataSource').query(`UPDATE parts SET name = 'newer'`);
    expect(await reporting().run(reports)).toEqual(['newer']);
    expect(await app.get(QueryCache).run(parts)).toEqual(['default']);
    expect(own.of('parts')).toEqual(['L1', 'L1']);
    expect(others.of('reports')).not.toEqual(['L1', 'L1']);
  });

  it('answer routes: a bound query by its definition, a builder by its data source', async () => {
    await eventually(async () => {
      for (const [url, body] of [
        ['/parts', ['default']],
        ['/reports', ['reporting']],
        ['/builder', [{ id: 1, name: 'reporting' }]],
      ] as const) {
        expect(await get(url)).toEqual({ body, status: expect.stringContaining('tidemark; hit;') });
      }
    });
  });

  it('have a health and a relay each', () => {
    const health = app.get<CacheHealth>(getCacheToken(CacheHealth, 'reporting'));
    expect(health).toBeInstanceOf(CacheHealth);
    expect(health).not.toBe(app.get(CacheHealth));
    expect(health.check()).toEqual({ status: 'up' });
    const relay = app.get<OutboxRelay>(getCacheToken(OutboxRelay, 'reporting'));
    expect(relay).toBeInstanceOf(OutboxRelay);
    expect(relay).not.toBe(app.get(OutboxRelay));
  });
});

describe('a query in the cache of another data source', () => {
  it('is refused with both names', async () => {
    const names = /"reporting".*"default"/;
    await expect(app.get(QueryCache).run(reports)).rejects.toThrow(OtherDataSourceError);
    await expect(app.get(QueryCache).run(reports)).rejects.toThrow(names);
    expect(() => app.get(QueryCache).explain(reports)).toThrow(names);
    await expect(reporting().run(parts)).rejects.toThrow(/"default".*"reporting"/);
  });

  it('is refused with both names if its data source has no cache', async () => {
    const plain = app.get<DataSource>('plainDataSource').getRepository(Part);
    const refused = app.get(QueryCache).run(plain.createQueryBuilder('p'));
    await expect(refused).rejects.toThrow(/"plain".*"default"/);
  });
});
