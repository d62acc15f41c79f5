/**
 * The protocols of reads and writes over stores in memory. A test controls the clock, the rows of the table and the
 * writers that are alive.
 */
import { WriteProtocol, type RecordUnpublished } from '../../../src/core/write-protocol.js';
import { L1Cache } from '../../../src/l1/l1-cache.js';
import { L1Entry } from '../../../src/l1/l1-entry.js';
import { MemoryFillLock } from '../../../src/core/memory/memory-fill-lock.js';
import { MemoryVersionStore } from '../../../src/core/memory/memory-version-store.js';
import type { TableVersionNames } from '../../../src/core/ports/version-store.js';
import type { CacheEntry } from '../../../src/core/ports/entry-store.js';
import { NullEntryStore } from '../../../src/core/memory/null-entry-store.js';
import { systemTimers } from '../../../src/core/ports/clock.js';
import { CacheEvents } from '../../../src/core/ports/cache-events.js';
import { DistributedSingleFlight } from '../../../src/core/distributed-single-flight.js';
import { FreshnessGate } from '../../../src/core/freshness-gate.js';
import { ReadProtocol } from '../../../src/core/read-protocol.js';
import { regionNamesOf } from '../../../src/core/region-names.js';
import type { ReadRequest } from '../../../src/core/read-request.js';
import { Settlement } from '../../../src/core/settlement.js';
import { randomToken } from '../../../src/core/versions.js';
import { writingTransactions } from './writing-transactions.js';
import {
  WriterActivity,
  type WritingTransaction,
} from '../../../src/core/ports/writer-activity.js';

/** A table in bucket 0. */
export const USERS = 'public.users';
/** A table in bucket 1. */
export const ORDERS = 'public.orders';
/** The lease of a mark, after which others may settle it. */
export const LEASE_MS = 2_000;
const US_REGION = {
  tables: [{ table: USERS, names: ['region=US', 'region?'] }],
  completeRowCount: undefined,
};

/** A version store of two buckets, whose next steps can be made to fail. */
class FragileStore extends MemoryVersionStore {
  /** The buckets that cannot be reached. */
  readonly away = new Set<number>();
  /** Reads wait for it before they read. */
  hold: Promise<void> | undefined;

  override get buckets(): number {
    return 2;
  }

  override bucketOf(table: string): number {
    return table === ORDERS || table.endsWith('/1') ? 1 : 0;
  }

  override async read(
    tables: Parameters<MemoryVersionStore['read']>[0],
  ): ReturnType<MemoryVersionStore['read']> {
    this.#reach(tables);
    await this.hold;
    return super.read(tables);
  }

  override async begin(
    ...args: Parameters<MemoryVersionStore['begin']>
  ): ReturnType<MemoryVersionStore['begin']> {
    this.#reach(args[0].tables);
    return super.begin(...args);
  }

  #reach(tables: readonly TableVersionNames[]): void {
    if (tables.some(({ table }) => this.away.has(this.bucketOf(table)))) throw new Error('away');
  }
}

/** A store that keeps no entries; a test gives the entry, and can delay the answers. */
class SlowEntryStore extends NullEntryStore {
  hold: Promise<void> | undefined;
  /** The entry of each key. */
  given: CacheEntry | undefined;

  override async get(): Promise<CacheEntry | undefined> {
    await this.hold;
    return this.given;
  }
}

class KnownWriters extends WriterActivity {
  readonly running = new Map<number, string>();

  override async writers(): Promise<ReadonlyMap<number, WritingTransaction>> {
    return writingTransactions(this.running);
  }
}

interface SetUpOptions {
  readonly maxStalenessMs?: number;
  readonly maxEntryBytes?: number;
  readonly exposeValues?: boolean;
}

export function setUp(options: SetUpOptions = {}) {
  const clock = {
    ms: 1_000_000,
    nowMs: () => clock.ms,
  };
  const store = new FragileStore({ clock });
  const writers = new KnownWriters();
  const events = new CacheEvents();
  const settlement = new Settlement(
    { store, activity: writers, events, token: randomToken, clock, timers: systemTimers },
    { leaseMs: LEASE_MS, pollMs: 1, maxPollMs: 1, waitMs: 50 },
  );
  const schema = { isOfVersion: () => true };
  const gate = new FreshnessGate({ store, settlement, schema, token: randomToken });
  const entries = new SlowEntryStore();
  const reads = new ReadProtocol<L1Entry>(
    {
      gate,
      local: new L1Cache(1_000_000),
      fills: new DistributedSingleFlight(
        {
          entries,
          lock: new MemoryFillLock(),
          owner: 'this process',
          clock,
          timers: systemTimers,
          onStoreFailure: () => undefined,
        },
        { leaseMs: LEASE_MS, maxWaitMs: 1_000, pollMs: 1 },
      ),
      toEntry: (entry) => new L1Entry(entry),
      bodyBytesOf: (entry) => entry.bodyBytes,
      regionNames: regionNamesOf(options.exposeValues ?? true),
      tagOf: (bytes) => bytes.toString('base64url'),
      wallClock: clock,
      monotonicClock: clock,
      timers: systemTimers,
      events,
    },
    {
      maxStalenessMs: options.maxStalenessMs ?? 0,
      maxEntryBytes: options.maxEntryBytes ?? 1_000,
      unknownKeysPerMinute: 1_000,
      maxWaiters: 100,
      maxWaitMs: 1_000,
    },
  );
  const writes = new WriteProtocol({
    store,
    events,
    answers: { regionNames: (tables) => tables, endedLocally: () => 0 },
    token: randomToken,
    clock,
    timers: systemTimers,
    policy: 'commit',
    leaseMs: LEASE_MS,
    retryMs: 1,
    drainMs: 1_000,
    refuse: (cause) => new Error('refused', { cause }),
  });
  /** Stands for the table: its rows, and how often they were selected. */
  const database = {
    rows: 'rows 0',
    rowCount: 1,
    selects: 0,
    hold: undefined as Promise<void> | undefined,
  };
  const request = (overrides: Partial<ReadRequest> = {}): ReadRequest => ({
    query: 'users.page',
    key: 'key',
    dependencies: US_REGION,
    run: async () => {
      database.selects += 1;
      const { rows, rowCount } = database;
      await database.hold;
      return { body: Buffer.from(rows), rowCount, empty: rowCount === 0, headers: {} };
    },
    ttlMs: () => 60_000,
    ...overrides,
  });
  const read = async (overrides: Partial<ReadRequest> = {}): Promise<[string, string]> => {
    const outcome = await reads.read(request(overrides));
    const { body } = outcome.source === 'bypass' ? outcome.answer : outcome.entry;
    return [outcome.source, body.toString()];
  };
  const begin = (
    names: readonly string[] = ['*', 'region=US'],
    pid = 7,
    record: RecordUnpublished = () => Promise.resolve(),
  ) => writes.begin([{ table: USERS, names }], pid, record);
  const ended = (publishedWrite: Awaited<ReturnType<typeof begin>>): Promise<void> => {
    writes.end(publishedWrite);
    return new Promise((resolve) => setImmediate(resolve));
  };
  return {
    clock,
    store,
    entries,
    events,
    writers,
    gate,
    reads,
    writes,
    database,
    request,
    read,
    begin,
    ended,
  };
}
