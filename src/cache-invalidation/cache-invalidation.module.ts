import { Module, type DynamicModule } from '@nestjs/common';
import { DataSource } from 'typeorm';
import {
  CacheEvents,
  CacheLifecycle,
  DatabaseSchema,
  OpenTransactions,
  QUERY_CACHE_OPTIONS,
  VersionStore,
  WriteFollowing,
  type QueryCacheOptions,
} from '../query-cache/index.js';
import {
  CACHE_INVALIDATION_OPTIONS,
  ConfigurableModuleClass,
  type CacheInvalidationModuleOptions,
  type OPTIONS_TYPE,
} from './cache-invalidation.module-definition.js';
import { OutboxRelay } from './outbox/outbox-relay.js';
import { TriggerKeeper } from './outbox/trigger-keeper.js';
import { WriteSide } from './write-side.js';

/**
 * Follows every write of the data source. Needs the `QueryCacheModule`, whose versions it
 * replaces.
 */
@Module({
  providers: [
    {
      // Made and started with the application, so that it comes before whatever modules write when they are initialised.
      provide: WriteSide,
      inject: [
        DataSource,
        VersionStore,
        DatabaseSchema,
        CacheEvents,
        OpenTransactions,
        CacheLifecycle,
        WriteFollowing,
        QUERY_CACHE_OPTIONS,
        CACHE_INVALIDATION_OPTIONS,
      ],
      useFactory: async (
        source: DataSource,
        store: VersionStore,
        schema: DatabaseSchema,
        events: CacheEvents,
        transactions: OpenTransactions,
        lifecycle: CacheLifecycle,
        following: WriteFollowing,
        cache: QueryCacheOptions,
        options: CacheInvalidationModuleOptions,
      ) => {
        const writeSide = new WriteSide({
          source,
          store,
          schema,
          events,
          transactions,
          lifecycle,
          following,
          cache,
          options,
        });
        await writeSide.start();
        return writeSide;
      },
    },
    {
      provide: OutboxRelay,
      inject: [WriteSide],
      useFactory: ({ relay }: WriteSide) => relay,
    },
    {
      provide: TriggerKeeper,
      inject: [WriteSide],
      useFactory: ({ triggers }: WriteSide) => triggers,
    },
  ],
  exports: [OutboxRelay, TriggerKeeper],
})
export class CacheInvalidationModule extends ConfigurableModuleClass {
  static override forRoot(options: typeof OPTIONS_TYPE = {}): DynamicModule {
    return super.forRoot(options);
  }
}
