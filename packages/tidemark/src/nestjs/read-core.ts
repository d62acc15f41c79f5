/** Assembles the read side of the core. */
import type { Logger } from '@nestjs/common';
import { logAwaited } from './awaited-transactions.js';
import type { CacheEvents } from '../core/ports/cache-events.js';
import { backgroundTimers, systemClock, systemTimers, wallClock } from '../core/ports/clock.js';
import { AnswerComparison } from '../core/answer-comparison.js';
import { Auditor } from '../core/auditor.js';
import { DistributedSingleFlight } from '../core/distributed-single-flight.js';
import { FreshnessGate } from '../core/freshness-gate.js';
import { ReadProtocol } from '../core/read-protocol.js';
import { regionNamesOf, type RegionNames } from '../core/region-names.js';
import { ShadowReads } from '../core/shadow-reads.js';
import type { KnownSchemaVersion } from '../core/schema-version.js';
import { Settlement } from '../core/settlement.js';
import { randomToken as token } from '../core/versions.js';
import type { TableVersionNames } from '../core/ports/version-store.js';
import type { WriterActivity } from '../core/ports/writer-activity.js';
import { tagOf } from './http/entity-tag.js';
import type { CacheMode, QueryCacheOptions } from './query-cache.options.js';
import type { CacheStores } from './cache-stores.js';
import { L1Cache } from '../l1/l1-cache.js';
import { L1Entry } from '../l1/l1-entry.js';

/** Waits for new epochs: polls of PostgreSQL, and how long reads wait before they query the database. */
const EPOCH_WAITS = { pollMs: 25, maxPollMs: 2_000, waitMs: 100 };
/** Pause between two polls for an entry that another instance is filling. */
const FILL_POLL_MS = 10;

/** What comparisons of stored answers with the database ask of it. */
export interface ComparedDatabase {
  /** Whether writes that have committed still wait to be published. Rejects if that is unknown. */
  areWritesWaiting(): Promise<boolean>;
  /** Whether a query would keep no other one waiting for a connection. */
  hasSpareConnection(): boolean;
}

export interface ReadCoreParts {
  readonly stores: CacheStores;
  readonly activity: WriterActivity;
  readonly schema: KnownSchemaVersion;
  readonly database: ComparedDatabase;
  readonly events: CacheEvents;
  readonly options: Readonly<QueryCacheOptions>;
  readonly log: Logger;
}

export class ReadCore {
  readonly settlement: Settlement;
  readonly gate: FreshnessGate;
  /** The option `mode`, until it is set for all instances (instance-reports.ts). */
  mode: CacheMode;
  /** The entries in memory. */
  readonly local: L1Cache;
  /** The regions of events, masked by the option `exposeValues`. */
  readonly regionNames: RegionNames;
  readonly #protocols: Readonly<Record<CacheMode, Pick<ReadProtocol<L1Entry>, 'read' | 'bypass'>>>;
  /** `undefined`: no hits are audited. */
  readonly auditor: Auditor | undefined;

  constructor({ stores, activity, schema, database, events, options, log }: ReadCoreParts) {
    const { versions: store, entries, fillLock } = stores;
    logAwaited(events, log);
    const settlement = new Settlement(
      { store, activity, events, token, clock: systemClock, timers: backgroundTimers },
      { leaseMs: options.markLeaseMs, ...EPOCH_WAITS },
    );
    const gate = new FreshnessGate({ store, settlement, schema, token });
    const fills = new DistributedSingleFlight(
      {
        entries,
        lock: fillLock,
        owner: token(),
        clock: systemClock,
        timers: systemTimers,
        onStoreFailure: (operation) => events.emitSafely('storeFailed', { operation }),
      },
      { leaseMs: options.fillLeaseMs, maxWaitMs: options.fillWaitMs, pollMs: FILL_POLL_MS },
    );
    this.settlement = settlement;
    this.gate = gate;
    this.local = new L1Cache(options.l1Bytes);
    this.regionNames = regionNamesOf(options.exposeValues);
    const serve = new ReadProtocol<L1Entry>(
      {
        gate,
        fills,
        local: this.local,
        toEntry: (entry) => new L1Entry(entry),
        bodyBytesOf: (entry) => entry.bodyBytes,
        regionNames: this.regionNames,
        tagOf,
        wallClock,
        monotonicClock: systemClock,
        timers: systemTimers,
        events,
      },
      { ...options, maxWaiters: options.fillMaxWaiters, maxWaitMs: options.fillWaitMs },
    );
    const comparison = new AnswerComparison({
      gate,
      timers: backgroundTimers,
      areWritesWaiting: () => database.areWritesWaiting(),
      // Differences are logged: a value of a row never is.
      regionNames: regionNamesOf(false),
    });
    this.#protocols = { serve, shadow: new ShadowReads({ protocol: serve, comparison, events }) };
    this.mode = options.mode;
    const hasSpareConnection = (): boolean => database.hasSpareConnection();
    const audits = { comparison, events, random: Math.random, hasSpareConnection };
    this.auditor = options.audit > 0 ? new Auditor(audits, options.audit) : undefined;
  }

  /** Of the mode in force. */
  get protocol(): Pick<ReadProtocol<L1Entry>, 'read' | 'bypass'> {
    return this.#protocols[this.mode];
  }

  /** How many entries in memory a write of these versions has ended; each is counted for one write alone. */
  endedLocally(tables: readonly TableVersionNames[]): number {
    return this.local.ended(tables);
  }
}
