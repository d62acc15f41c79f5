/** How the parts that answer reads are put together. */
import { Logger, type FactoryProvider } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { logAwaited } from './awaited-transactions.js';
import { CacheReader } from './cache-reader.js';
import { CacheEvents } from './core/cache-events.js';
import { backgroundTimers, systemClock, systemTimers, wallClock } from './core/clock.js';
import { EntryStore, FillLock, type CacheEntry } from './core/entry-store.js';
import { FillCoordinator } from './core/fill-coordinator.js';
import { FreshnessGate } from './core/freshness-gate.js';
import { MarkSweep } from './core/mark-sweep.js';
import { ReadProtocol } from './core/read-protocol.js';
import { Settlement } from './core/settlement.js';
import { randomToken } from './core/token.js';
import { VersionStore } from './core/version-store.js';
import { WriteFollowing } from './core/write-following.js';
import { WriterActivity } from './core/writer-activity.js';
import { EntityCodec } from './entity-codec.js';
import { provideWithParts } from './provide-with-parts.js';
import { QUERY_CACHE_OPTIONS } from './query-cache.module-definition.js';
import { type QueryCacheOptions } from './query-cache.options.js';
import { CheckedPlans } from './sql/checked-plans.js';
import { DatabaseSchema } from './sql/database-schema.js';
import { MapCheck } from './sql/map-check.js';
import { QueryExecutor } from './sql/query-executor.js';
import { PlanMemo } from './sql/plan-memo.js';
import { QueryPlanner } from './sql/query-planner.js';
import { StandbyWatch } from './sql/standby-watch.js';
import { tagOf } from './http/entity-tag.js';
import { L1Cache, L1Entry } from './stores/l1-cache.js';

/** Shortest and longest pause between two questions to PostgreSQL about the same transactions. */
const SETTLE_POLL_MS = 25;
const MAX_SETTLE_POLL_MS = 2_000;
/** Pause between two looks for marks that no reader meets. */
const SWEEP_PAUSE_MS = 5_000;
/** How long reads wait for a new epoch to settle before they go to the database. */
const SETTLE_WAIT_MS = 100;
/** Pause between two looks for an entry that another instance is filling. */
const FILL_POLL_MS = 10;

export const readProviders: FactoryProvider[] = [
  {
    provide: Settlement,
    inject: [VersionStore, WriterActivity, CacheEvents, QUERY_CACHE_OPTIONS],
    useFactory: (
      store: VersionStore,
      activity: WriterActivity,
      events: CacheEvents,
      { markLeaseMs }: QueryCacheOptions,
    ) => {
      logAwaited(events, new Logger('QueryCache'));
      return new Settlement(
        {
          store,
          activity,
          events,
          token: randomToken,
          clock: systemClock,
          timers: backgroundTimers,
        },
        {
          leaseMs: markLeaseMs,
          pollMs: SETTLE_POLL_MS,
          maxPollMs: MAX_SETTLE_POLL_MS,
          waitMs: SETTLE_WAIT_MS,
        },
      );
    },
  },
  {
    provide: MarkSweep,
    inject: [VersionStore, Settlement],
    useFactory: (store: VersionStore, settlement: Settlement) =>
      new MarkSweep({ store, settlement, timers: backgroundTimers, pauseMs: SWEEP_PAUSE_MS }),
  },
  {
    provide: FreshnessGate,
    inject: [VersionStore, Settlement, DatabaseSchema],
    useFactory: (store: VersionStore, settlement: Settlement, schema: DatabaseSchema) =>
      new FreshnessGate({ store, settlement, schema, token: randomToken }),
  },
  {
    provide: FillCoordinator,
    inject: [EntryStore, FillLock, CacheEvents, QUERY_CACHE_OPTIONS],
    useFactory: (
      entries: EntryStore,
      lock: FillLock,
      events: CacheEvents,
      { fillLeaseMs, fillWaitMs }: QueryCacheOptions,
    ) =>
      new FillCoordinator(
        {
          entries,
          lock,
          owner: randomToken(),
          clock: systemClock,
          timers: systemTimers,
          onStoreFailure: (operation) => events.tell('storeFailed', { operation }),
        },
        { leaseMs: fillLeaseMs, maxWaitMs: fillWaitMs, pollMs: FILL_POLL_MS },
      ),
  },
  {
    provide: ReadProtocol,
    inject: [FreshnessGate, FillCoordinator, CacheEvents, QUERY_CACHE_OPTIONS],
    useFactory: (
      gate: FreshnessGate,
      fills: FillCoordinator,
      events: CacheEvents,
      options: QueryCacheOptions,
    ) =>
      new ReadProtocol<L1Entry>(
        {
          gate,
          local: new L1Cache(options.l1Bytes),
          fills,
          toEntry: (entry: CacheEntry) => new L1Entry(entry),
          tagOf,
          wallClock,
          monotonicClock: systemClock,
          timers: systemTimers,
          events,
        },
        {
          maxStalenessMs: options.maxStalenessMs,
          maxEntryBytes: options.maxEntryBytes,
          unknownKeysPerMinute: options.unknownKeysPerMinute,
          maxWaiters: options.fillMaxWaiters,
          maxWaitMs: options.fillWaitMs,
        },
      ),
  },
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
      return new QueryExecutor(source, new MapCheck(verifyPlans, events), onReconfigured, standby);
    },
  },
  {
    provide: EntityCodec,
    inject: [DataSource],
    useFactory: (source: DataSource) => new EntityCodec(source),
  },
  provideWithParts(CacheReader, {
    source: DataSource,
    following: WriteFollowing,
    schema: DatabaseSchema,
    planner: QueryPlanner,
    plans: PlanMemo,
    checkedPlans: CheckedPlans,
    executor: QueryExecutor,
    protocol: ReadProtocol<L1Entry>,
    codec: EntityCodec,
    events: CacheEvents,
    options: QUERY_CACHE_OPTIONS,
  }),
];
