/** The parts of the write side: what they are made of, how they start, and how they stop with the application. */
import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import {
  backgroundTimers,
  randomToken,
  type CacheEvents,
  type CacheLifecycle,
  type DatabaseSchema,
  type OpenTransactions,
  type QueryCacheOptions,
  type VersionStore,
  type WriteFollowing,
} from '../query-cache/index.js';
import type { CacheInvalidationModuleOptions } from './cache-invalidation.module-definition.js';
import { WriteProtocol } from './core/write-protocol.js';
import { MissedWrites } from './missed-writes.js';
import { CacheTriggers } from './outbox/cache-triggers.js';
import { connectionOptionsOf } from './outbox/connection-options.js';
import { OutboxObjects } from './outbox/outbox-objects.js';
import { OutboxRelay } from './outbox/outbox-relay.js';
import { OutboxWriter } from './outbox/outbox-writer.js';
import { RecordingChanges } from './outbox/recording-changes.js';
import { TriggerKeeper } from './outbox/trigger-keeper.js';
import { TriggerTrust } from './outbox/trigger-trust.js';
import { openingOf } from './own-transaction.js';
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

interface Surroundings {
  readonly source: DataSource;
  readonly store: VersionStore;
  readonly schema: DatabaseSchema;
  readonly events: CacheEvents;
  readonly transactions: OpenTransactions;
  readonly lifecycle: CacheLifecycle;
  readonly following: WriteFollowing;
  readonly cache: QueryCacheOptions;
  readonly options: CacheInvalidationModuleOptions;
}

export class WriteSide {
  readonly relay: OutboxRelay;
  readonly triggers: TriggerKeeper;
  readonly recording: RecordingChanges;
  readonly #protocol: WriteProtocol;
  readonly #follower: WriteFollower;
  readonly #log = new Logger('CacheInvalidation');

  constructor(private readonly surroundings: Surroundings) {
    const { source, store, schema, events, transactions, cache, options } = surroundings;
    const { writePolicy: policy = 'commit', triggers: option = 'install' } = options;
    const log = this.#log;
    const isStoreShared = cache.redis !== undefined;
    const objects = new OutboxObjects(cache.namespace);
    const protocol = new WriteProtocol({
      store,
      events,
      token: randomToken,
      timers: backgroundTimers,
      policy,
      leaseMs: cache.markLeaseMs,
      retryMs: DEBT_RETRY_MS,
      drainMs: DRAIN_MS,
    });
    const trust = new TriggerTrust(objects, log);
    const recording = new RecordingChanges({ objects, store, protocol, schema, events, log });
    const outbox = new OutboxWriter(objects, warningOnce(log));
    const opening = openingOf(options.implicitTransactionIdleMs ?? defaultIdleMs(cache));
    const subscriber = new StatementWatcher({
      schema,
      protocol,
      outbox,
      trust,
      transactions,
      opening,
    });
    const missed = new MissedWrites({
      source,
      store,
      schema,
      protocol,
      objects,
      recording,
      isStoreShared,
    });
    const follower = new WriteFollower({ source, subscriber, schema, missed });
    const lookup = () => Promise.resolve(schema.catalogue);
    const triggers = new CacheTriggers(source, objects.namespace, lookup);
    const isReady = (): boolean => follower.isListening;
    this.triggers = new TriggerKeeper({
      triggers,
      recording,
      schema,
      trust,
      option,
      isReady,
      log,
    });
    this.relay = new OutboxRelay({
      connectionOf: () => connectionOptionsOf(source),
      objects,
      schema,
      protocol,
      recording,
      events,
      log: new Logger('OutboxRelay'),
      // The store of this process alone can always be reached.
      isNeeded: isStoreShared && policy === 'commit',
    });
    this.recording = recording;
    this.#protocol = protocol;
    this.#follower = follower;
  }

  async start(): Promise<void> {
    const { relay, triggers } = this;
    const { following, lifecycle } = this.surroundings;
    const follower = this.#follower;
    const isFirst = following.followedBy({
      get gap() {
        return follower.gap;
      },
      get blindSpot() {
        return triggers.problem ?? relay.problem;
      },
    });
    // The module was imported twice: one instance of it is enough.
    if (!isFirst) return;
    await follower.observe();
    await lifecycle.start();
    await follower.start();
    await triggers.start();
    // Last: it says where there is no outbox, which the triggers bring with them.
    relay.start();
    lifecycle.beforeClose(() => this.#close());
  }

  /** The last requests have been answered: what they began is ended before Redis is left. */
  async #close(): Promise<void> {
    await this.triggers.close();
    const [isDrained] = await Promise.all([this.#protocol.drain(), this.relay.close()]);
    this.#follower.close();
    if (isDrained) return;
    this.#log.error(
      'Writes went unannounced while Redis was away, and it has not come back: other instances ' +
        'may serve answers from before them until those expire.',
    );
  }
}

function defaultIdleMs({ redis }: QueryCacheOptions): number {
  return Math.max(MIN_IDLE_MS, IDLE_REDIS_COMMANDS * (redis?.timeoutMs ?? 0));
}

function warningOnce(log: Logger): (error: Error) => void {
  let warnedOf: string | undefined;
  return ({ message }) => {
    if (message !== warnedOf) log.warn(`The outbox could not be written: ${message}`);
    warnedOf = message;
  };
}
