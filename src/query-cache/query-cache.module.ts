import { Module, type DynamicModule } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { CacheHealth } from './cache-health.js';
import { CacheLifecycle } from './cache-lifecycle.js';
import { CacheReader } from './cache-reader.js';
import { CacheInterceptor } from './cache.interceptor.js';
import { CacheEvents } from './core/cache-events.js';
import { VersionStore } from './core/version-store.js';
import { WriteFollowing } from './core/write-following.js';
import { HttpAnswers } from './http/http-answers.js';
import { httpProviders } from './http/http.providers.js';
import {
  ConfigurableModuleClass,
  QUERY_CACHE_OPTIONS,
  type OPTIONS_TYPE,
} from './query-cache.module-definition.js';
import { provideWithParts } from './provide-with-parts.js';
import { optionsProvider, schemaProviders } from './query-cache.providers.js';
import { QueryCache } from './query-cache.js';
import { ReadCore } from './read-core.js';
import { readProviders } from './read.providers.js';
import { CacheStores } from './stores/cache-stores.js';
import { DatabaseSchema } from './sql/database-schema.js';
import { OpenTransactions } from './sql/open-transactions.js';
import { StandbyWatch } from './sql/standby-watch.js';

/**
 * The read side: `CacheInterceptor`, `QueryCache` and what they stand on. Imported once with
 * `forRoot` or `forRootAsync`; its providers are then known to every module. Needs the default
 * `DataSource` of `TypeOrmModule`.
 */
@Module({
  providers: [
    optionsProvider,
    ...schemaProviders,
    ...readProviders,
    provideWithParts(CacheLifecycle, {
      source: DataSource,
      schema: DatabaseSchema,
      stores: CacheStores,
      core: ReadCore,
      standby: StandbyWatch,
    }),
    provideWithParts(CacheHealth, {
      stores: CacheStores,
      following: WriteFollowing,
      core: ReadCore,
      standby: StandbyWatch,
    }),
    provideWithParts(QueryCache, {
      events: CacheEvents,
      source: DataSource,
      reader: CacheReader,
      schema: DatabaseSchema,
      versions: VersionStore,
      options: QUERY_CACHE_OPTIONS,
    }),
    ...httpProviders,
    CacheInterceptor,
  ],
  exports: [
    QueryCache,
    CacheInterceptor,
    HttpAnswers,
    CacheReader,
    CacheHealth,
    CacheLifecycle,
    CacheEvents,
    DatabaseSchema,
    OpenTransactions,
    VersionStore,
    WriteFollowing,
    QUERY_CACHE_OPTIONS,
  ],
})
export class QueryCacheModule extends ConfigurableModuleClass {
  static override forRoot(options: typeof OPTIONS_TYPE = {}): DynamicModule {
    return super.forRoot(options);
  }
}
