/** How the options, the stores, the catalog and the plans are put together. */
import { Logger, type FactoryProvider } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { CacheEvents } from './core/cache-events.js';
import { VersionStore } from './core/version-store.js';
import { WriteFollowing } from './core/write-following.js';
import { WriterActivity } from './core/writer-activity.js';
import { UNKNOWN_VERSION } from './application-version.js';
import { GIVEN_OPTIONS, QUERY_CACHE_OPTIONS } from './query-cache.module-definition.js';
import {
  resolveOptions,
  type QueryCacheModuleOptions,
  type QueryCacheOptions,
} from './query-cache.options.js';
import { impurity } from './query-errors.js';
import { DatabaseSchema } from './sql/database-schema.js';
import { OpenTransactions } from './sql/open-transactions.js';
import { PostgresWriterActivity } from './sql/postgres-writer-activity.js';
import { PlanMemo } from './sql/plan-memo.js';
import { StandbyWatch } from './sql/standby-watch.js';
import { CacheStores } from './stores/cache-stores.js';
import { shareSecrets } from './stores/shared-secrets.js';

export const optionsProvider: FactoryProvider<Readonly<QueryCacheOptions>> = {
  provide: QUERY_CACHE_OPTIONS,
  inject: [GIVEN_OPTIONS],
  useFactory: (given: QueryCacheModuleOptions) => resolveOptions(given),
};

export const schemaProviders: FactoryProvider[] = [
  { provide: CacheEvents, useFactory: () => new CacheEvents() },
  {
    provide: WriteFollowing,
    useFactory: () => {
      const log = new Logger('QueryCache');
      return new WriteFollowing((line) => log.warn(line));
    },
  },
  {
    provide: CacheStores,
    inject: [QUERY_CACHE_OPTIONS, DataSource, CacheEvents],
    useFactory: async (options: QueryCacheOptions, source: DataSource, events: CacheEvents) => {
      const { redis } = options;
      if (!redis) return CacheStores.inMemory(options);
      const log = new Logger('QueryCache');
      const secrets = await shareSecrets(source, options.entrySecret, log);
      const stores = CacheStores.inRedis({ redis, options, secrets, events, log });
      stores.onOutOfMemory(() => events.tell('storeFull'));
      tellRelease(options.release, log);
      return stores;
    },
  },
  {
    provide: VersionStore,
    inject: [CacheStores],
    useFactory: ({ versions }: CacheStores) => versions,
  },
  {
    provide: StandbyWatch,
    inject: [DataSource, CacheEvents],
    useFactory: (source: DataSource, events: CacheEvents) =>
      new StandbyWatch(source, events, new Logger('QueryCache')),
  },
  {
    provide: DatabaseSchema,
    inject: [DataSource, CacheStores, QUERY_CACHE_OPTIONS, StandbyWatch],
    useFactory: (
      source: DataSource,
      { versions, scope }: CacheStores,
      { release, markLeaseMs }: QueryCacheOptions,
      standby: StandbyWatch,
    ) => new DatabaseSchema({ source, versions, scope: [scope, release], markLeaseMs, standby }),
  },
  {
    provide: WriterActivity,
    inject: [DataSource, StandbyWatch],
    useFactory: (source: DataSource, standby: StandbyWatch) =>
      new PostgresWriterActivity(source, standby),
  },
  { provide: OpenTransactions, useFactory: () => new OpenTransactions() },
  {
    provide: PlanMemo,
    inject: [DataSource, DatabaseSchema, OpenTransactions, CacheEvents, QUERY_CACHE_OPTIONS],
    useFactory: (
      source: DataSource,
      schema: DatabaseSchema,
      transactions: OpenTransactions,
      events: CacheEvents,
      { verifyPlans: share }: QueryCacheOptions,
    ) => {
      const log = new Logger('QueryCache');
      events.on('planDiffers', ({ query, difference }) => log.error(impurity(query, difference)));
      return new PlanMemo({ source, schema, transactions, events, share });
    },
  },
];

function tellRelease(release: string, log: Logger): void {
  if (release === UNKNOWN_VERSION) {
    log.warn(
      'No package.json names the version of this application: set the option `release`, or answers that an earlier ' +
        'release has stored are read as those of this one',
    );
  } else {
    log.log(`Release ${release}: answers that other releases have stored are not read`);
  }
}
