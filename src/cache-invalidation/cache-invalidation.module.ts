import { Logger, Module, type DynamicModule } from '@nestjs/common';
import { DataSource } from 'typeorm';
import {
  backgroundTimers,
  CacheEvents,
  CacheLifecycle,
  DatabaseSchema,
  OpenTransactions,
  QUERY_CACHE_OPTIONS,
  randomToken,
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
import { WriteProtocol } from './core/write-protocol.js';
import { InvalidationStart } from './invalidation-start.js';
import { MissedWrites } from './missed-writes.js';
import { CacheTriggers } from './outbox/cache-triggers.js';
import { connectionOptionsOf } from './outbox/connection-options.js';
import { OutboxObjects } from './outbox/outbox-objects.js';
import { OutboxRelay } from './outbox/outbox-relay.js';
import { OutboxWriter } from './outbox/outbox-writer.js';
import { RecordingChanges } from './outbox/recording-changes.js';
import { TriggerTrust } from './outbox/trigger-trust.js';
import { TriggerKeeper } from './outbox/trigger-keeper.js';
import { openingStatements } from './own-transaction.js';
import { StatementSubscriber } from './statement.subscriber.js';
import { StatementWatcher } from './statement-watcher.js';
import { WriteFollower } from './write-follower.js';

/** Pause between two attempts to end entries of writes that could not be announced. */
const DEBT_RETRY_MS = 50;
/** How long the application waits with such writes still unpaid when it stops. */
const DRAIN_MS = 3_000;
/** How long the transaction of a single write may be idle at least, where no option says otherwise. */
const MIN_IDLE_MS = 5_000;
/** The commands of Redis that it may wait for, one after the other, and one to spare. */
const IDLE_REDIS_COMMANDS = 4;

/**
 * Follows every write of the data source. Needs the `QueryCacheModule`, whose versions it
 * replaces.
 */
@Module({
  providers: [
    {
      provide: WriteProtocol,
      inject: [VersionStore, CacheEvents, QUERY_CACHE_OPTIONS, CACHE_INVALIDATION_OPTIONS],
      useFactory: (
        store: VersionStore,
        events: CacheEvents,
        { markLeaseMs }: QueryCacheOptions,
        { writePolicy = 'commit' }: CacheInvalidationModuleOptions,
      ) =>
        new WriteProtocol(store, events, randomToken, backgroundTimers, {
          policy: writePolicy,
          leaseMs: markLeaseMs,
          retryMs: DEBT_RETRY_MS,
          drainMs: DRAIN_MS,
        }),
    },
    {
      provide: OutboxObjects,
      inject: [QUERY_CACHE_OPTIONS],
      useFactory: ({ namespace }: QueryCacheOptions) => new OutboxObjects(namespace),
    },
    {
      provide: TriggerTrust,
      inject: [OutboxObjects],
      useFactory: (objects: OutboxObjects) =>
        new TriggerTrust(objects, new Logger('CacheInvalidation')),
    },
    {
      provide: RecordingChanges,
      inject: [OutboxObjects, VersionStore, WriteProtocol, DatabaseSchema, CacheEvents],
      useFactory: (
        objects: OutboxObjects,
        store: VersionStore,
        protocol: WriteProtocol,
        schema: DatabaseSchema,
        events: CacheEvents,
      ) =>
        new RecordingChanges({
          objects,
          store,
          protocol,
          schema,
          events,
          log: new Logger('CacheInvalidation'),
        }),
    },
    {
      provide: OutboxRelay,
      inject: [
        DataSource,
        OutboxObjects,
        DatabaseSchema,
        RecordingChanges,
        WriteProtocol,
        CacheEvents,
        QUERY_CACHE_OPTIONS,
        CACHE_INVALIDATION_OPTIONS,
      ],
      useFactory: (
        source: DataSource,
        objects: OutboxObjects,
        schema: DatabaseSchema,
        recording: RecordingChanges,
        protocol: WriteProtocol,
        events: CacheEvents,
        { redis }: QueryCacheOptions,
        { writePolicy = 'commit' }: CacheInvalidationModuleOptions,
      ) =>
        new OutboxRelay({
          connectionOf: () => connectionOptionsOf(source),
          objects,
          schema,
          protocol,
          recording,
          events,
          log: new Logger('OutboxRelay'),
          // The store of this process alone can always be reached.
          isNeeded: redis !== undefined && writePolicy === 'commit',
        }),
    },
    {
      provide: StatementWatcher,
      inject: [
        DatabaseSchema,
        WriteProtocol,
        OutboxObjects,
        TriggerTrust,
        OpenTransactions,
        QUERY_CACHE_OPTIONS,
        CACHE_INVALIDATION_OPTIONS,
      ],
      useFactory: (
        schema: DatabaseSchema,
        protocol: WriteProtocol,
        objects: OutboxObjects,
        trust: TriggerTrust,
        transactions: OpenTransactions,
        { redis }: QueryCacheOptions,
        { implicitTransactionIdleMs }: CacheInvalidationModuleOptions,
      ) => {
        const log = new Logger('CacheInvalidation');
        let warnedOf: string | undefined;
        const outbox = new OutboxWriter(objects, ({ message }) => {
          if (message !== warnedOf) log.warn(`The outbox could not be written: ${message}`);
          warnedOf = message;
        });
        const idleMs =
          implicitTransactionIdleMs ??
          Math.max(MIN_IDLE_MS, IDLE_REDIS_COMMANDS * (redis?.timeoutMs ?? 0));
        const opening = openingStatements(idleMs);
        return new StatementWatcher(schema, protocol, outbox, trust, transactions, opening);
      },
    },
    {
      provide: MissedWrites,
      inject: [
        DataSource,
        VersionStore,
        DatabaseSchema,
        WriteProtocol,
        OutboxObjects,
        RecordingChanges,
        QUERY_CACHE_OPTIONS,
      ],
      useFactory: (
        source: DataSource,
        store: VersionStore,
        schema: DatabaseSchema,
        protocol: WriteProtocol,
        objects: OutboxObjects,
        recording: RecordingChanges,
        { redis }: QueryCacheOptions,
      ) =>
        new MissedWrites(source, store, schema, protocol, objects, recording, redis !== undefined),
    },
    {
      provide: StatementSubscriber,
      inject: [StatementWatcher],
      useFactory: (watcher: StatementWatcher) => new StatementSubscriber(watcher),
    },
    {
      provide: WriteFollower,
      inject: [DataSource, StatementSubscriber, DatabaseSchema, MissedWrites],
      useFactory: (
        source: DataSource,
        subscriber: StatementSubscriber,
        schema: DatabaseSchema,
        missed: MissedWrites,
      ) => new WriteFollower(source, subscriber, schema, missed),
    },
    {
      provide: TriggerKeeper,
      inject: [
        DataSource,
        OutboxObjects,
        DatabaseSchema,
        TriggerTrust,
        WriteFollower,
        CACHE_INVALIDATION_OPTIONS,
      ],
      useFactory: (
        source: DataSource,
        { namespace }: OutboxObjects,
        schema: DatabaseSchema,
        trust: TriggerTrust,
        follower: WriteFollower,
        { triggers = 'install' }: CacheInvalidationModuleOptions,
      ) =>
        new TriggerKeeper({
          triggers: new CacheTriggers(source, namespace, () => Promise.resolve(schema.catalogue)),
          schema,
          trust,
          option: triggers,
          isReady: () => follower.isListening,
          log: new Logger('CacheInvalidation'),
        }),
    },
    {
      // Made with the application, so that it comes before whatever modules write when they are initialised.
      provide: InvalidationStart,
      inject: [
        CacheLifecycle,
        WriteFollowing,
        WriteFollower,
        TriggerKeeper,
        OutboxRelay,
        WriteProtocol,
      ],
      useFactory: async (
        lifecycle: CacheLifecycle,
        following: WriteFollowing,
        follower: WriteFollower,
        triggers: TriggerKeeper,
        relay: OutboxRelay,
        protocol: WriteProtocol,
      ) => {
        const start = new InvalidationStart(
          lifecycle,
          following,
          follower,
          triggers,
          relay,
          protocol,
        );
        await start.run();
        return start;
      },
    },
  ],
  exports: [OutboxRelay, TriggerKeeper],
})
export class CacheInvalidationModule extends ConfigurableModuleClass {
  static override forRoot(options: typeof OPTIONS_TYPE = {}): DynamicModule {
    return super.forRoot(options);
  }
}
