/** Creates the parts of the write side, starts them, and stops them with the application. */
import type { Logger } from '@nestjs/common';
import type { ClientConfig } from 'pg';
import type { DataSource } from 'typeorm';
import { backgroundTimers, systemClock } from '../core/ports/clock.js';
import { askPrimary } from '../typeorm/database/own-question.js';
import { randomToken } from '../core/versions.js';
import { cacheLogger } from './cache-logger.js';
import type { CacheInvalidationModuleOptions } from './cache-invalidation.options.js';
import type { ReadSide } from './read-side.js';
import { WriteRefusedError } from './write-refused.error.js';
import { WriteProtocol } from '../core/write-protocol.js';
import { MissedWrites } from '../typeorm/statements/missed-writes.js';
import { CacheTriggers } from '../typeorm/triggers/cache-triggers.js';
import { OutboxObjects } from '../postgres/capture/outbox-objects.js';
import { OutboxRelay } from '../postgres/capture/outbox-relay.js';
import { OutboxWriter } from '../postgres/capture/outbox-writer.js';
import { RecordingChanges } from '../postgres/capture/recording-changes.js';
import { TriggerKeeper } from '../typeorm/triggers/trigger-keeper.js';
import { StatementInterceptor } from '../typeorm/statements/statement-interceptor.js';
import { openingOf } from '../typeorm/statements/transactions.js';
import { WriteFollower } from '../typeorm/statements/write-follower.js';
import type { WriteParts } from '../typeorm/statements/write-parts.js';

/** Pause between two attempts to flush the retry queue. */
const RETRY_MS = 50;
/** How long the stopping application waits for the retry queue to empty. */
const DRAIN_MS = 3_000;
/** Shortest default idle limit of an implicit transaction. */
const MIN_IDLE_MS = 5_000;
/** Sequential Redis commands that an implicit transaction may wait for, plus one. */
const IDLE_REDIS_COMMANDS = 4;

export class WriteSide {
  readonly relay: OutboxRelay;
  readonly triggers: TriggerKeeper;
  readonly recording: RecordingChanges;
  readonly #protocol: WriteProtocol;
  readonly #follower: WriteFollower;
  readonly #log: Logger;

  constructor(
    private readonly readSide: ReadSide,
    options: CacheInvalidationModuleOptions,
  ) {
    const { name, source, versions: store, schema, events, transactions, core, origins } = readSide;
    const { namespace, markLeaseMs, redis } = readSide.options;
    const { writePolicy: policy = 'commit', triggers: option = 'install' } = options;
    const log = cacheLogger('CacheInvalidation', name);
    const isStoreShared = redis !== undefined;
    const objects = new OutboxObjects(namespace);
    const protocol = new WriteProtocol({
      store,
      events,
      answers: core,
      token: randomToken,
      clock: systemClock,
      timers: backgroundTimers,
      policy,
      refuse: (cause) => new WriteRefusedError(cause),
      leaseMs: markLeaseMs,
      retryMs: RETRY_MS,
      drainMs: DRAIN_MS,
    });
    const parts: WriteParts = {
      source,
      store,
      isStoreShared,
      schema,
      events,
      protocol,
      objects,
      log,
    };
    this.#protocol = protocol;
    this.#log = log;
    this.recording = new RecordingChanges(parts, (sql, values) => askPrimary(source, sql, values));
    this.triggers = new TriggerKeeper({
      ...parts,
      recording: this.recording,
      option,
      triggers: new CacheTriggers(source, namespace, () => Promise.resolve(schema.catalog)),
      isReady: () => this.#follower.isListening,
    });
    const idleMs = Math.max(MIN_IDLE_MS, IDLE_REDIS_COMMANDS * (redis?.timeoutMs ?? 0));
    const subscriber = new StatementInterceptor({
      ...parts,
      transactions,
      origins,
      triggers: this.triggers,
      outbox: new OutboxWriter(parts),
      opening: openingOf(options.implicitTransactionIdleMs ?? idleMs),
    });
    this.#follower = new WriteFollower(parts, subscriber, new MissedWrites(parts, this.recording));
    this.relay = new OutboxRelay({
      ...parts,
      connection: () => connectionOptionsOf(source),
      recording: this.recording,
      log: cacheLogger('OutboxRelay', name),
      // A store in this process is always reachable.
      isNeeded: isStoreShared && policy === 'commit',
    });
  }

  /** Does nothing if the cache is disabled. */
  async start(): Promise<void> {
    const { caches, options } = this.readSide;
    if (options.enabled) await caches.starting(() => this.#start());
  }

  async #start(): Promise<void> {
    const { relay, triggers } = this;
    const { caches, following, lifecycle, reports } = this.readSide;
    const follower = this.#follower;
    lifecycle.beforeClose(() => this.#close());
    await lifecycle.start();
    await follower.start();
    following.followedBy({
      get gap() {
        return follower.gap;
      },
      get blindSpot() {
        return triggers.problem ?? relay.problem;
      },
    });
    reports.addWriteSide({ relay, triggers });
    await triggers.start();
    // Last: it warns if there is no outbox, which the triggers bring with them.
    relay.start();
    caches.requireUnfailed();
  }

  /** The last requests are answered: end their marks before Redis is disconnected. */
  async #close(): Promise<void> {
    await this.triggers.close();
    const [isDrained] = await Promise.all([this.#protocol.drain(), this.relay.close()]);
    this.#follower.close();
    if (isDrained) return;
    this.#log.error(
      'Writes went unpublished while Redis was away, and it has not come back: other instances ' +
        'may serve answers from before them until those expire.',
    );
  }
}

/** The options of the driver, which its types lack. */
function connectionOptionsOf(source: DataSource): ClientConfig {
  const { master } = source.driver as unknown as { master: { options: ClientConfig } };
  return master.options;
}
