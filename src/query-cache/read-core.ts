/** How the read side of the core is put together. */
import { Logger } from '@nestjs/common';
import { logAwaited } from './awaited-transactions.js';
import type { CacheEvents } from './core/cache-events.js';
import { backgroundTimers, systemClock, systemTimers, wallClock } from './core/clock.js';
import { FillCoordinator } from './core/fill-coordinator.js';
import { FreshnessGate } from './core/freshness-gate.js';
import { MarkSweep } from './core/mark-sweep.js';
import { ReadProtocol } from './core/read-protocol.js';
import type { KnownSchemaVersion } from './core/schema-version.js';
import { Settlement } from './core/settlement.js';
import { randomToken } from './core/token.js';
import type { WriterActivity } from './core/writer-activity.js';
import { tagOf } from './http/entity-tag.js';
import type { QueryCacheOptions } from './query-cache.options.js';
import type { CacheStores } from './stores/cache-stores.js';
import { L1Cache } from './stores/l1-cache.js';
import { L1Entry } from './stores/l1-entry.js';

/** Shortest and longest pause between two questions to PostgreSQL about the same transactions. */
const SETTLE_POLL_MS = 25;
const MAX_SETTLE_POLL_MS = 2_000;
/** Pause between two looks for marks that no reader meets. */
const SWEEP_PAUSE_MS = 5_000;
/** How long reads wait for a new epoch to settle before they go to the database. */
const SETTLE_WAIT_MS = 100;
/** Pause between two looks for an entry that another instance is filling. */
const FILL_POLL_MS = 10;

export interface ReadCoreParts {
  readonly stores: CacheStores;
  readonly activity: WriterActivity;
  readonly schema: KnownSchemaVersion;
  readonly events: CacheEvents;
  readonly options: Readonly<QueryCacheOptions>;
}

export class ReadCore {
  readonly settlement: Settlement;
  readonly sweep: MarkSweep;
  readonly gate: FreshnessGate;
  readonly protocol: ReadProtocol<L1Entry>;

  constructor({ stores, activity, schema, events, options }: ReadCoreParts) {
    const { versions: store, entries, fillLock } = stores;
    const token = randomToken;
    logAwaited(events, new Logger('QueryCache'));
    this.settlement = new Settlement(
      { store, activity, events, token, clock: systemClock, timers: backgroundTimers },
      {
        leaseMs: options.markLeaseMs,
        pollMs: SETTLE_POLL_MS,
        maxPollMs: MAX_SETTLE_POLL_MS,
        waitMs: SETTLE_WAIT_MS,
      },
    );
    const { settlement } = this;
    this.sweep = new MarkSweep({
      store,
      settlement,
      timers: backgroundTimers,
      pauseMs: SWEEP_PAUSE_MS,
    });
    this.gate = new FreshnessGate({ store, settlement, schema, token });
    const fills = new FillCoordinator(
      {
        entries,
        lock: fillLock,
        owner: randomToken(),
        clock: systemClock,
        timers: systemTimers,
        onStoreFailure: (operation) => events.tell('storeFailed', { operation }),
      },
      { leaseMs: options.fillLeaseMs, maxWaitMs: options.fillWaitMs, pollMs: FILL_POLL_MS },
    );
    this.protocol = new ReadProtocol<L1Entry>(
      {
        gate: this.gate,
        fills,
        local: new L1Cache(options.l1Bytes),
        toEntry: (entry) => new L1Entry(entry),
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
    );
  }
}
