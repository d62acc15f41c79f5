import {
  ConfigurableModuleBuilder,
  Module,
  type DynamicModule,
  type FactoryProvider,
} from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import type { DataSource } from 'typeorm';
import { CacheHealth } from './cache-health.js';
import { CacheLifecycle } from './cache-lifecycle.js';
import { CacheReader } from './cache-reader.js';
import { CacheEvents } from '../core/ports/cache-events.js';
import { VersionStore } from '../core/ports/version-store.js';
import { WriteFollowing } from '../core/ports/write-following.js';
import { InstanceReports } from './instance-reports.js';
import { requireDataSource, requireOnce, requireWriteSide } from './module-imports.js';
import {
  QueryCacheOptions,
  resolveOptions,
  type QueryCacheModuleOptions,
} from './query-cache.options.js';
import { QueryCache } from './query-cache.js';
import { QueryCaches } from './query-caches.js';
import { QueryCachesModule } from './query-caches.module.js';
import { ReadCore } from './read-core.js';
import { makeReadSide, readSideToken, type ReadSide } from './read-side.js';
import { dataSourceToken, getCacheToken } from './tokens.js';
import { CatalogCache } from '../typeorm/database/catalog-cache.js';
import { DEFAULT_DATA_SOURCE } from '../typeorm/database/data-source-name.js';
import { OpenTransactions } from '../typeorm/database/open-transactions.js';
import { WriteOrigins } from './write-origins.js';
import { WriteSide } from './write-side.js';

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<QueryCacheModuleOptions>({ moduleName: 'QueryCache' })
    .setClassMethodName('forRoot')
    .setExtras(
      {
        isGlobal: true,
        /** The name of the data source in `TypeOrmModule.forRoot({ name })`. */
        dataSource: DEFAULT_DATA_SOURCE,
      },
      (definition, { isGlobal, dataSource }) => {
        const providers = providersOf(dataSource);
        return {
          ...definition,
          global: isGlobal,
          providers: [...(definition.providers ?? []), ...providers],
          exports: providers.map(({ provide }) => provide),
        };
      },
    )
    .build();

/** The injectable parts of the read side, by class. */
const PARTS = {
  cache: QueryCache,
  health: CacheHealth,
  reports: InstanceReports,
  events: CacheEvents,
  lifecycle: CacheLifecycle,
  reader: CacheReader,
  core: ReadCore,
  versions: VersionStore,
  schema: CatalogCache,
  following: WriteFollowing,
  transactions: OpenTransactions,
} satisfies Partial<Record<keyof ReadSide, Function>>;

function providersOf(name: string): FactoryProvider[] {
  const options = getCacheToken(QueryCacheOptions, name);
  const readSide = readSideToken(name);
  return [
    {
      provide: options,
      inject: [DiscoveryService, QueryCaches, MODULE_OPTIONS_TOKEN],
      useFactory: (
        discovery: DiscoveryService,
        caches: QueryCaches,
        given: QueryCacheModuleOptions,
      ) =>
        caches.starting(() => {
          const dataSource = name;
          requireOnce(discovery, { name: 'QueryCacheModule', dataSource, token: readSide });
          const resolved = resolveOptions(given);
          const token = getCacheToken(WriteSide, name);
          const module = { name: 'CacheInvalidationModule', dataSource, token } as const;
          // Before anything is opened.
          requireOnce(discovery, module);
          requireWriteSide(discovery, module, resolved);
          return resolved;
        }),
    },
    {
      provide: readSide,
      inject: [
        options,
        QueryCaches,
        DiscoveryService,
        WriteOrigins,
        { token: dataSourceToken(name), optional: true },
      ],
      useFactory: (
        resolved: Readonly<QueryCacheOptions>,
        caches: QueryCaches,
        discovery: DiscoveryService,
        origins: WriteOrigins,
        found: DataSource | undefined,
      ) => {
        return caches.starting(() => {
          const source = requireDataSource(discovery, name, found);
          return makeReadSide({ name, options: resolved, source, caches, origins });
        });
      },
    },
    ...Object.entries(PARTS).map(([part, type]): FactoryProvider => ({
      provide: getCacheToken<object>(type, name),
      inject: [readSide],
      useFactory: (side: ReadSide) => side[part as keyof typeof PARTS],
    })),
  ];
}

/**
 * The read side: `CacheInterceptor`, `QueryCache` and their parts. Import it once for each data source, with `forRoot`
 * or `forRootAsync`; its providers are then available in every module.
 */
@Module({ imports: [QueryCachesModule], exports: [QueryCachesModule] })
export class QueryCacheModule extends ConfigurableModuleClass {
  static override forRoot(options: typeof OPTIONS_TYPE = {}): DynamicModule {
    return super.forRoot(options);
  }
}
