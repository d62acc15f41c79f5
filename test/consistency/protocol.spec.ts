import { describe, expect, it } from '@jest/globals';
import { WriteProtocol } from '../../src/cache-invalidation/core/write-protocol.js';
import { L1Cache } from '../../src/query-cache/stores/l1-cache.js';
import { L1Entry } from '../../src/query-cache/stores/l1-entry.js';
import { MemoryFillLock } from '../../src/query-cache/stores/memory-fill-lock.js';
import { MemoryVersionStore } from '../../src/query-cache/stores/memory-version-store.js';
import { NullEntryStore } from '../../src/query-cache/stores/null-entry-store.js';
import { systemTimers } from '../../src/query-cache/core/clock.js';
import { CacheEvents } from '../../src/query-cache/core/cache-events.js';
import type { TableDependency } from '../../src/query-cache/core/dependency.js';
import { FillCoordinator } from '../../src/query-cache/core/fill-coordinator.js';
import { FreshnessGate } from '../../src/query-cache/core/freshness-gate.js';
import { ReadProtocol, type ReadRequest } from '../../src/query-cache/core/read-protocol.js';
import { Settlement } from '../../src/query-cache/core/settlement.js';
import { randomToken } from '../../src/query-cache/core/token.js';
import { WriterActivity } from '../../src/query-cache/core/writer-activity.js';

const USERS = 'public.users';
const LEASE_MS = 2_000;
const usRegion: TableDependency = {
  table: USERS,
  names: ['region=US', 'region?'],
  insertName: undefined,
};

/** A version store whose next reads can be made to fail. */
class FragileStore extends MemoryVersionStore {
  isAway = false;

  override async read(
    ...args: Parameters<MemoryVersionStore['read']>
  ): ReturnType<MemoryVersionStore['read']> {
    if (this.isAway) throw new Error('away');
    return super.read(...args);
  }

  override async begin(
    ...args: Parameters<MemoryVersionStore['begin']>
  ): ReturnType<MemoryVersionStore['begin']> {
    if (this.isAway) throw new Error('away');
    return super.begin(...args);
  }
}

class KnownWriters extends WriterActivity {
  readonly running = new Map<number, string>();

  override async writers(): Promise<ReadonlyMap<number, string>> {
    return new Map(this.running);
  }
}

function setUp(options: { maxStalenessMs?: number; maxEntryBytes?: number } = {}) {
  const clock = {
    ms: 1_000_000,
    nowMs: () => clock.ms,
  };
  const store = new FragileStore({ clock });
  const writers = new KnownWriters();
  const events = new CacheEvents();
  const settlement = new Settlement(store, writers, events, randomToken, clock, systemTimers, {
    leaseMs: LEASE_MS,
    pollMs: 1,
  });
  const gate = new FreshnessGate(
    store,
    settlement,
    { isCurrent: () => true },
    randomToken,
    systemTimers,
    {
      settleWaitMs: 50,
    },
  );
  const fills = new FillCoordinator(
    new NullEntryStore(),
    new MemoryFillLock(),
    randomToken,
    clock,
    systemTimers,
    { leaseMs: LEASE_MS, maxWaitMs: 1_000, pollMs: 1 },
    () => undefined,
  );
  const reads = new ReadProtocol<L1Entry>(
    gate,
    new L1Cache(1_000_000),
    new NullEntryStore(),
    fills,
    (entry) => new L1Entry(entry),
    (bytes) => bytes.toString('base64url'),
    { wall: clock, monotonic: clock },
    systemTimers,
    events,
    {
      maxStalenessMs: options.maxStalenessMs ?? 0,
      maxEntryBytes: options.maxEntryBytes ?? 1_000,
      maxWaiters: 100,
      maxWaitMs: 1_000,
    },
  );
  const writes = new WriteProtocol(store, events, randomToken, systemTimers, {
    policy: 'commit',
    leaseMs: LEASE_MS,
    retryMs: 1,
    drainMs: 1_000,
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
    dependencies: { tables: [usRegion], completeRowCount: undefined },
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
  const begin = (names: readonly string[] = ['*', 'region=US'], pid = 7) =>
    writes.begin([{ table: USERS, names }], pid);
  const ended = (announcement: Awaited<ReturnType<typeof begin>>): Promise<void> => {
    writes.end(announcement);
    return new Promise((resolve) => setImmediate(resolve));
  };
  return { clock, store, writers, gate, reads, writes, database, request, read, begin, ended };
}

describe('the read protocol', () => {
  it('runs the query once and then answers from memory', async () => {
    const { read, database } = setUp();
    expect(await read()).toEqual(['miss', 'rows 0']);
    expect(await read()).toEqual(['hit', 'rows 0']);
    expect(database.selects).toBe(1);
  });

  it('never serves rows that a write made old while they were being read', async () => {
    const { read, begin, ended, database } = setUp();
    let release: () => void = () => undefined;
    database.hold = new Promise((resolve) => {
      release = resolve;
    });
    const slow = read(); // T0: the stamp is read, the SELECT has the old rows
    await new Promise((resolve) => setTimeout(resolve, 5));
    const announcement = await begin(); // T1
    database.rows = 'rows 1'; // T2: COMMIT
    await ended(announcement); // T3
    release();
    database.hold = undefined;
    expect(await slow).toEqual(['miss', 'rows 0']); // T4: stored under the stamp of T0
    expect(await read()).toEqual(['miss', 'rows 1']);
    expect(database.selects).toBe(2);
  });

  it('neither serves nor stores while a write may commit', async () => {
    const { read, begin, ended, database } = setUp();
    await read();
    const announcement = await begin();
    expect(await read()).toEqual(['bypass', 'rows 0']);
    database.rows = 'rows 1';
    expect(await read()).toEqual(['bypass', 'rows 1']);
    await ended(announcement);
    expect(await read()).toEqual(['miss', 'rows 1']);
    expect(await read()).toEqual(['hit', 'rows 1']);
  });

  it('keeps serving regions that a write does not touch', async () => {
    const { read, begin, database } = setUp();
    await read();
    await begin(['*', 'region=EU']);
    expect(await read()).toEqual(['hit', 'rows 0']);
    expect(database.selects).toBe(1);
  });

  it('keeps a rolled back write out and serves again after it', async () => {
    const { read, begin, writes } = setUp();
    await read();
    writes.abort(await begin());
    await new Promise((resolve) => setImmediate(resolve));
    expect(await read()).toEqual(['miss', 'rows 0']);
    expect(await read()).toEqual(['hit', 'rows 0']);
  });

  it('settles the mark of a dead writer only once its transaction has ended', async () => {
    const { read, begin, clock, writers, database } = setUp();
    await read();
    await begin(['*', 'region=US'], 42);
    writers.running.set(42, 'xid 1'); // the COMMIT still waits in the server
    clock.ms += LEASE_MS + 1;
    expect(await read()).toEqual(['bypass', 'rows 0']);
    await new Promise((resolve) => setTimeout(resolve, 5));
    clock.ms += LEASE_MS + 100; // the renewed lease has run out as well
    expect(await read()).toEqual(['bypass', 'rows 0']);
    await new Promise((resolve) => setTimeout(resolve, 5));
    database.rows = 'rows 1';
    writers.running.clear();
    clock.ms += LEASE_MS + 100;
    expect(await read()).toEqual(['bypass', 'rows 1']);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await read()).toEqual(['miss', 'rows 1']);
  });

  it('takes another transaction of the same backend for the end of the marked one', async () => {
    const { read, begin, clock, writers } = setUp();
    await read();
    await begin(['*', 'region=US'], 42);
    for (const transaction of ['xid 1', 'xid 2']) {
      writers.running.set(42, transaction);
      clock.ms += LEASE_MS + 100;
      expect(await read()).toEqual(['bypass', 'rows 0']);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(await read()).toEqual(['miss', 'rows 0']);
  });

  it('goes to the database while versions cannot be read, and distrusts what it had', async () => {
    const { read, store, gate, database } = setUp();
    await read();
    store.isAway = true;
    gate.distrustAll();
    expect(await read()).toEqual(['bypass', 'rows 0']);
    database.rows = 'rows 1'; // written by an instance that could not announce it
    store.isAway = false;
    expect(await read()).toEqual(['miss', 'rows 1']);
    expect(await read()).toEqual(['hit', 'rows 1']);
  });

  it('does not trust a new epoch before the writers it may have forgotten have ended', async () => {
    const { read, gate, writers, database } = setUp();
    await read();
    writers.running.set(42, 'xid 1');
    gate.distrustAll();
    expect(await read()).toEqual(['bypass', 'rows 0']);
    database.rows = 'rows 1';
    expect(await read()).toEqual(['bypass', 'rows 1']);
    writers.running.clear();
    expect(await read()).toEqual(['miss', 'rows 1']);
  });

  it('pays for a write that went unannounced as soon as the store answers', async () => {
    const { read, begin, writes, store, database } = setUp();
    await read();
    store.isAway = true;
    const announcement = await begin();
    database.rows = 'rows 1';
    store.isAway = false;
    writes.end(announcement);
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(await read()).toEqual(['miss', 'rows 1']);
  });

  it('shares one fill among those who ask at the same time', async () => {
    const { read, database } = setUp();
    const answers = await Promise.all(Array.from({ length: 20 }, () => read()));
    expect(new Set(answers.map(([, body]) => body))).toEqual(new Set(['rows 0']));
    expect(database.selects).toBe(1);
  });

  it('does not share a fill that began before a write with those who come after it', async () => {
    const { read, begin, ended, database } = setUp();
    let release: () => void = () => undefined;
    database.hold = new Promise((resolve) => {
      release = resolve;
    });
    const slow = read();
    await new Promise((resolve) => setTimeout(resolve, 5));
    const announcement = await begin();
    database.rows = 'rows 1';
    await ended(announcement);
    database.hold = undefined;
    expect(await read()).toEqual(['miss', 'rows 1']);
    release();
    await slow;
    expect(await read()).toEqual(['miss', 'rows 1']); // the slow fill overwrote the entry
    expect(await read()).toEqual(['hit', 'rows 1']);
  });

  it('does not keep a failure, and fills for those who come after it', async () => {
    const { read } = setUp();
    const fail = (): Promise<never> => Promise.reject(new Error('too many connections'));
    await expect(read({ run: fail })).rejects.toThrow('too many connections');
    expect(await read()).toEqual(['miss', 'rows 0']);
  });

  it('does not store an answer over the size limit', async () => {
    const { read, database } = setUp({ maxEntryBytes: 3 });
    expect(await read()).toEqual(['miss', 'rows 0']);
    expect(await read()).toEqual(['miss', 'rows 0']);
    expect(database.selects).toBe(2);
  });

  it('runs the query again after the time to live', async () => {
    const { read, clock } = setUp();
    await read();
    clock.ms += 60_001;
    expect(await read()).toEqual(['miss', 'rows 0']);
  });

  it('reuses versions for as long as it was told to, and no longer', async () => {
    const { read, begin, ended, clock, database } = setUp({ maxStalenessMs: 100 });
    await read();
    await read(); // verified now
    await ended(await begin());
    database.rows = 'rows 1';
    expect(await read()).toEqual(['hit', 'rows 0']);
    clock.ms += 100;
    expect(await read()).toEqual(['miss', 'rows 1']);
  });

  describe('an answer confined by primary key', () => {
    const byKey: TableDependency = { table: USERS, names: ['id=7', 'id?'], insertName: 'id+' };
    const dependencies = { tables: [byKey], completeRowCount: 1 };

    it('that found its row outlives inserts of unknown keys', async () => {
      const { read, begin, ended } = setUp();
      await read({ dependencies });
      await ended(await begin(['*', 'id+']));
      expect(await read({ dependencies })).toEqual(['hit', 'rows 0']);
    });

    it('that found none does not', async () => {
      const { read, begin, ended, database } = setUp();
      database.rowCount = 0;
      await read({ dependencies });
      expect(await read({ dependencies })).toEqual(['hit', 'rows 0']);
      await ended(await begin(['*', 'id+']));
      expect(await read({ dependencies })).toEqual(['miss', 'rows 0']);
    });
  });
});
