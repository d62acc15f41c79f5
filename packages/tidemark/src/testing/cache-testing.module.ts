import { Module, type Abstract, type DynamicModule } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { DataSource } from 'typeorm';
import { CacheEvents } from '../core/ports/cache-events.js';
import { CacheHealth, type CacheHealthReport } from '../nestjs/cache-health.js';
import { CacheInvalidationModule } from '../nestjs/cache-invalidation.module.js';
import type { CacheReader } from '../nestjs/cache-reader.js';
import { InstanceReports } from '../nestjs/instance-reports.js';
import { QueryCache } from '../nestjs/query-cache.js';
import { QueryCacheModule } from '../nestjs/query-cache.module.js';
import {
  QueryCacheOptions,
  resolveOptions,
  type QueryCacheModuleOptions,
} from '../nestjs/query-cache.options.js';
import { QueryCaches } from '../nestjs/query-caches.js';
import { QueryCachesModule } from '../nestjs/query-caches.module.js';
import { getCacheToken } from '../nestjs/tokens.js';
import { DEFAULT_DATA_SOURCE } from '../typeorm/database/data-source-name.js';
import { OutboxRelay } from '../postgres/capture/outbox-relay.js';
import { TriggerKeeper, type TriggersOption } from '../typeorm/triggers/trigger-keeper.js';
import { PassThroughCache } from './fake-query-cache.js';
import type { FakeAnswers } from './pass-through-reader.js';

/** Options of `CacheTestingModule.passThrough()`. */
export interface PassThroughOptions {
  /** Answers by the names of queries (see `fakeQueryCache`); all other queries run over the data source. */
  readonly answers?: FakeAnswers;
  /** The data source, or a stub of it. Default: the `DataSource` that the testing module provides, if any. */
  readonly dataSource?: DataSource;
  /** The names of further data sources whose `QueryCache` is injected by `@InjectQueryCache(name)`. */
  readonly names?: readonly string[];
}

/** Options of `CacheTestingModule.inMemory()`: those of `QueryCacheModule` without `redis`, and `triggers`. */
export interface InMemoryOptions extends Omit<QueryCacheModuleOptions, 'redis'> {
  /** The name of the data source in `TypeOrmModule.forRoot({ name })`. */
  readonly dataSource?: string;
  /**
   * `install` (default) creates the triggers and the outbox in the database of the test, so that writes end what they
   * end in production. `off` creates nothing: then each write ends all answers of its table.
   */
  readonly triggers?: TriggersOption;
}

const IS_UP = {
  awaitedTransactions: new Map(),
  check: (): CacheHealthReport => ({ status: 'up' }),
};

/** The relay and the keeper of triggers, which have nothing to do. */
const IDLE_RELAY = { state: 'absent', isLockStuck: false, backlog: undefined, problem: undefined };
const IDLE_KEEPER = { problem: undefined, check: (): Promise<void> => Promise.resolve() };

/** The page beside it is empty. */
const IDLE_REPORTS = {
  mode: 'off',
  staysInShadow: false,
  start: () => Promise.resolve(),
  all: () => Promise.resolve([]),
  onRequest: () => () => undefined,
} satisfies Partial<InstanceReports>;

/** The cache for tests of an application: import it in place of `QueryCacheModule` and `CacheInvalidationModule`. */
@Module({})
export class CacheTestingModule {
  /**
   * Runs every query past the cache. It needs no Redis and no PostgreSQL; a query without a given answer needs a
   * `DataSource`, of any driver, or a stub. `Cache-Status` says `fwd=bypass; detail=disabled`.
   */
  static passThrough(options: PassThroughOptions = {}): DynamicModule {
    const shared: readonly Abstract<object>[] = [
      QueryCache,
      CacheEvents,
      CacheHealth,
      QueryCacheOptions,
      InstanceReports,
      OutboxRelay,
      TriggerKeeper,
    ];
    const others = (options.names ?? []).flatMap((name) =>
      shared.map((part) => ({ provide: getCacheToken(part, name), useExisting: part })),
    );
    return {
      module: CacheTestingModule,
      global: true,
      imports: [QueryCachesModule],
      providers: [
        { provide: QueryCacheOptions, useFactory: () => resolveOptions({ enabled: false }) },
        {
          provide: QueryCache,
          inject: [QueryCacheOptions, QueryCaches, ModuleRef],
          useFactory: async (
            resolved: QueryCacheOptions,
            caches: QueryCaches,
            modules: ModuleRef,
          ) => {
            const { answers = {}, dataSource } = options;
            const events = new CacheEvents();
            const source = () => dataSource ?? providedSource(modules);
            const cache = new PassThroughCache({ events, answers, source });
            await caches.add(DEFAULT_DATA_SOURCE, {
              // It serves all data sources.
              source: {} as DataSource,
              reader: cache.reader as unknown as CacheReader,
              options: resolved,
            });
            return cache;
          },
        },
        ...others,
        {
          provide: CacheEvents,
          inject: [QueryCache],
          useFactory: (cache: QueryCache) => cache.events,
        },
        { provide: CacheHealth, useValue: IS_UP },
        { provide: InstanceReports, useValue: IDLE_REPORTS },
        { provide: OutboxRelay, useValue: IDLE_RELAY },
        { provide: TriggerKeeper, useValue: IDLE_KEEPER },
      ],
      exports: [QueryCachesModule, ...shared, ...others.map(({ provide }) => provide)],
    };
  }

  /**
   * The real cache in the memory of this process, without Redis, over the PostgreSQL data source of the test. Tests that
   * run side by side need a database each.
   */
  static inMemory(options: InMemoryOptions = {}): DynamicModule {
    const { triggers = 'install', dataSource = DEFAULT_DATA_SOURCE, ...cache } = options;
    const defaults = { namespace: 'test', release: 'test', ttlJitter: 0 };
    return {
      module: CacheTestingModule,
      imports: [
        QueryCacheModule.forRoot({ ...defaults, ...cache, dataSource }),
        CacheInvalidationModule.forRoot({ triggers, dataSource }),
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
