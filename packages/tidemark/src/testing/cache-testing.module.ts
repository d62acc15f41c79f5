import { Module, type DynamicModule } from '@nestjs/common';
import { DiscoveryModule, ModuleRef } from '@nestjs/core';
import { DataSource } from 'typeorm';
import { CacheEvents } from '../core/ports/cache-events.js';
import { CacheHealth, type CacheHealthReport } from '../nestjs/cache-health.js';
import { CacheInvalidationModule } from '../nestjs/cache-invalidation.module.js';
import { CacheReader } from '../nestjs/cache-reader.js';
import { CacheInterceptor } from '../nestjs/cache.interceptor.js';
import { HttpAnswers } from '../nestjs/http/http-answers.js';
import { QueryCache } from '../nestjs/query-cache.js';
import { QueryCacheModule } from '../nestjs/query-cache.module.js';
import {
  QueryCacheOptions,
  resolveOptions,
  type QueryCacheModuleOptions,
} from '../nestjs/query-cache.options.js';
import type { TriggersOption } from '../typeorm/triggers/trigger-keeper.js';
import { PassThroughCache } from './fake-query-cache.js';
import type { FakeAnswers } from './pass-through-reader.js';

export interface PassThroughOptions {
  /** Answers by the names of queries (see `fakeQueryCache`); all other queries run over the data source. */
  readonly answers?: FakeAnswers;
  /** The data source, or a stub of it. Default: the `DataSource` that the testing module provides, if any. */
  readonly dataSource?: DataSource;
}

export interface InMemoryOptions extends Omit<QueryCacheModuleOptions, 'redis'> {
  /**
   * `install` (default) creates the triggers and the outbox in the database of the test, so that writes end what they
   * end in production. `off` creates nothing: then each write ends all answers of its table.
   */
  readonly triggers?: TriggersOption;
}

/** It answers handlers as its base class does. Nest would inherit lists of the module that are not given here. */
@Module({ imports: [DiscoveryModule], providers: [], exports: [] })
class PassThroughModule extends QueryCacheModule {}

const IS_UP = {
  awaitedTransactions: new Map(),
  check: (): CacheHealthReport => ({ status: 'up' }),
};

/** The cache for tests of an application: import it in place of `QueryCacheModule` and `CacheInvalidationModule`. */
@Module({})
export class CacheTestingModule {
  /**
   * Runs every query past the cache. It needs no Redis and no PostgreSQL; a query without a given answer needs a
   * `DataSource`, of any driver, or a stub. `Cache-Status` says `fwd=bypass; detail=disabled`.
   */
  static passThrough({ answers = {}, dataSource }: PassThroughOptions = {}): DynamicModule {
    return {
      module: PassThroughModule,
      global: true,
      providers: [
        {
          provide: QueryCache,
          inject: [ModuleRef],
          useFactory: (modules: ModuleRef) =>
            new PassThroughCache({
              events: new CacheEvents(),
              answers,
              source: () => dataSource ?? providedSource(modules),
            }),
        },
        {
          provide: CacheReader,
          inject: [QueryCache],
          useFactory: ({ reader }: PassThroughCache) => reader,
        },
        {
          provide: CacheEvents,
          inject: [QueryCache],
          useFactory: ({ events }: QueryCache) => events,
        },
        { provide: CacheHealth, useValue: IS_UP },
        { provide: QueryCacheOptions, useFactory: () => resolveOptions({}) },
        HttpAnswers,
        CacheInterceptor,
      ],
      exports: [QueryCache, CacheEvents, CacheHealth, HttpAnswers, CacheInterceptor],
    };
  }

  /**
   * The real cache in the memory of this process, without Redis, over the PostgreSQL data source of the test. Tests that
   * run side by side need a database each.
   */
  static inMemory({ triggers = 'install', ...options }: InMemoryOptions = {}): DynamicModule {
    return {
      module: CacheTestingModule,
      imports: [
        QueryCacheModule.forRoot({ namespace: 'test', release: 'test', ttlJitter: 0, ...options }),
        CacheInvalidationModule.forRoot({ triggers }),
      ],
    };
  }
}

function providedSource(modules: ModuleRef): DataSource | undefined {
  try {
    return modules.get(DataSource, { strict: false });
  } catch {
    return undefined;
  }
}
