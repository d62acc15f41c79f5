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
import { ValueCodec } from './core/value-codec.js';
import { VersionStore } from './core/version-store.js';
import { WriteFollowing } from './core/write-following.js';
import { WriterActivity } from './core/writer-activity.js';
import { QUERY_CACHE_OPTIONS } from './query-cache.module-definition.js';
import { type QueryCacheOptions } from './query-cache.options.js';
import { CheckedPlans } from './sql/checked-plans.js';
import { DatabaseSchema } from './sql/database-schema.js';
import { entityClassesOf } from './sql/entity-classes.js';
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
    provide: CacheReader,
    inject: [
      DataSource,
      WriteFollowing,
      DatabaseSchema,
      QueryPlanner,
      PlanMemo,
      CheckedPlans,
      ReadProtocol,
      CacheEvents,
      QUERY_CACHE_OPTIONS,
      StandbyWatch,
    ],
    useFactory: (
      source: DataSource,
      following: WriteFollowing,
      schema: DatabaseSchema,
      planner: QueryPlanner,
      plans: PlanMemo,
      checkedPlans: CheckedPlans,
      protocol: ReadProtocol<L1Entry>,
      events: CacheEvents,
      options: QueryCacheOptions,
      standby: StandbyWatch,
    ) =>
      new CacheReader(
        source,
        following,
        schema,
        planner,
        plans,
        checkedPlans,
        new QueryExecutor(
          source,
          new MapCheck(options.verifyPlans, events),
          () => {
            // Without Redis nothing that is stored is served, and every instance finds out by itself.
            schema.reconfigured().catch(() => undefined);
          },
          standby,
        ),
        protocol,
        codecsOf(source),
        events,
        options,
      ),
  },
];

/** The codec for the entities that the data source has at present: it builds them at each initialisation. */
function codecsOf(source: DataSource): () => ValueCodec {
  const codecs = new WeakMap<object, ValueCodec>();
  return () => {
    const { entityMetadatas } = source;
    let codec = codecs.get(entityMetadatas);
    if (!codec) {
      codec = new ValueCodec(entityClassesOf(source));
      codecs.set(entityMetadatas, codec);
    }
    return codec;
  };
}
