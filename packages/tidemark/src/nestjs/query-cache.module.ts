import {
  ConfigurableModuleBuilder,
  Module,
  type DynamicModule,
  type FactoryProvider,
  type OnModuleInit,
} from '@nestjs/common';
import { DiscoveryModule, DiscoveryService, HttpAdapterHost } from '@nestjs/core';
import { DataSource } from 'typeorm';
import { CacheHealth } from './cache-health.js';
import { CacheLifecycle } from './cache-lifecycle.js';
import { CacheReader } from './cache-reader.js';
import { CacheInterceptor } from './cache.interceptor.js';
import { CacheEvents } from '../core/ports/cache-events.js';
import { VersionStore } from '../core/ports/version-store.js';
import { WriteFollowing } from '../core/ports/write-following.js';
import { HttpAnswers } from './http/http-answers.js';
import { requireAnswers } from './http/interceptor-order.js';
import { answerQueries } from './http/query-replies.js';
import {
  QueryCacheOptions,
  resolveOptions,
  type QueryCacheModuleOptions,
} from './query-cache.options.js';
import { QueryCache } from './query-cache.js';
import { ReadCore } from './read-core.js';
import { makeReadSide, type ReadSide } from './read-side.js';
import { CatalogCache } from '../typeorm/database/catalog-cache.js';
import { OpenTransactions } from '../typeorm/database/open-transactions.js';

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<QueryCacheModuleOptions>({ moduleName: 'QueryCache' })
    .setClassMethodName('forRoot')
    .setExtras({ isGlobal: true }, (definition, { isGlobal }) => ({
      ...definition,
      global: isGlobal,
    }))
    .build();

const READ_SIDE = Symbol('tidemark:read-side');

/** The injectable parts of the read side, by class. */
const PARTS = {
  cache: QueryCache,
  health: CacheHealth,
  events: CacheEvents,
  lifecycle: CacheLifecycle,
  reader: CacheReader,
  core: ReadCore,
  versions: VersionStore,
  schema: CatalogCache,
  following: WriteFollowing,
  transactions: OpenTransactions,
} satisfies Record<keyof ReadSide, Function>;

/**
 * The read side: `CacheInterceptor`, `QueryCache` and their parts. Import it once with `forRoot` or `forRootAsync`; its
 * providers are then available in every module. Requires the default `DataSource` of `TypeOrmModule`.
 */
@Module({
  imports: [DiscoveryModule],
  providers: [
    { provide: QueryCacheOptions, inject: [MODULE_OPTIONS_TOKEN], useFactory: resolveOptions },
    { provide: READ_SIDE, inject: [QueryCacheOptions, DataSource], useFactory: makeReadSide },
    ...Object.entries(PARTS).map(([name, provide]): FactoryProvider => ({
      provide,
      inject: [READ_SIDE],
      useFactory: (side: ReadSide) => side[name as keyof ReadSide],
    })),
    HttpAnswers,
    CacheInterceptor,
  ],
  exports: [...Object.values(PARTS), HttpAnswers, CacheInterceptor, QueryCacheOptions],
})
export class QueryCacheModule extends ConfigurableModuleClass implements OnModuleInit {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly host: HttpAdapterHost,
    private readonly answers: HttpAnswers,
  ) {
    super();
  }

  static override forRoot(options: typeof OPTIONS_TYPE = {}): DynamicModule {
    return super.forRoot(options);
  }

  /** @throws Error if an interceptor would get queries. */
  onModuleInit(): void {
    const controllers = this.discovery.getControllers().flatMap(({ metatype }) => metatype ?? []);
    requireAnswers(controllers, this.answers.config);
    // Applications without HTTP have no adapter.
    const adapter = this.host.httpAdapter as HttpAdapterHost['httpAdapter'] | undefined;
    if (adapter) answerQueries(adapter, this.answers);
  }
}
