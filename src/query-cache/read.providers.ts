/** The parts that answer reads, for Nest. */
import type { FactoryProvider } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { CacheReader } from './cache-reader.js';
import { CacheEvents } from './core/cache-events.js';
import { WriteFollowing } from './core/write-following.js';
import { WriterActivity } from './core/writer-activity.js';
import { provideWithParts } from './provide-with-parts.js';
import { QUERY_CACHE_OPTIONS } from './query-cache.module-definition.js';
import type { QueryCacheOptions } from './query-cache.options.js';
import { ReadCore } from './read-core.js';
import { CheckedPlans } from './sql/checked-plans.js';
import { DatabaseSchema } from './sql/database-schema.js';
import { MapCheck } from './sql/map-check.js';
import { QueryExecutor } from './sql/query-executor.js';
import { PlanMemo } from './sql/plan-memo.js';
import { QueryPlanner } from './sql/query-planner.js';
import { StandbyWatch } from './sql/standby-watch.js';
import { CacheStores } from './stores/cache-stores.js';

export const readProviders: FactoryProvider[] = [
  provideWithParts(ReadCore, {
    stores: CacheStores,
    activity: WriterActivity,
    schema: DatabaseSchema,
    events: CacheEvents,
    options: QUERY_CACHE_OPTIONS,
  }),
  {
    provide: QueryExecutor,
    inject: [DataSource, DatabaseSchema, CacheEvents, QUERY_CACHE_OPTIONS, StandbyWatch],
    useFactory: (
      source: DataSource,
      schema: DatabaseSchema,
      events: CacheEvents,
      { verifyPlans }: QueryCacheOptions,
      standby: StandbyWatch,
    ) => {
      const onReconfigured = (): void => {
        // Without Redis nothing that is stored is served, and every instance finds out by itself.
        schema.reconfigured().catch(() => undefined);
      };
      const maps = new MapCheck(verifyPlans, events);
      return new QueryExecutor({ source, maps, standby, onReconfigured });
    },
  },
  provideWithParts(CacheReader, {
    source: DataSource,
    following: WriteFollowing,
    schema: DatabaseSchema,
    planner: QueryPlanner,
    plans: PlanMemo,
    checkedPlans: CheckedPlans,
    executor: QueryExecutor,
    core: ReadCore,
    options: QUERY_CACHE_OPTIONS,
  }),
];
