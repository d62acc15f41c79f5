/**
 * The read side of the protocol.
 *
 * 1. Read the epoch and the versions of all dependencies (freshness-gate.ts), after the request
 *    arrived. In doubt, or no answer: run the query, store nothing.
 * 2. An entry in memory, then one in the shared store, with the same stamp answers the request. Without
 *    an entry in memory, the shared one and the lock of its fill are asked for together with the versions.
 * 3. Else fill: one fill per key and stamp in this process (single-flight.ts) and per key among all
 *    instances (fill-coordinator.ts); store the entry with the stamp read before the SELECT.
 *
 * Why it is right. The stamp was read before the SELECT, so the answer is at least as new as the
 * stamp. The versions compared were read after the request arrived, so nothing committed in
 * between, however old the entry that they are compared with. A commit is always enclosed by a mark,
 * so nobody can read the old rows and store them under the new version. An entry with an old stamp
 * can never match again. Sharing a fill that began before the request arrived is right for the same
 * reason: the stamps are equal.
 */
import type { CacheEvents, BypassReason, CacheLevel } from './cache-events.js';
import type { Clock, Timers } from './clock.js';
import type { CacheEntry } from './entry-store.js';
import type { Dependencies } from './dependency.js';
import type { FillCoordinator, Look } from './fill-coordinator.js';
import type { FreshnessGate } from './freshness-gate.js';
import type { Answer, ReadRequest } from './read-request.js';
import { RateLimit } from './rate-limit.js';
import { SingleFlight, type SingleFlightOptions } from './single-flight.js';
import { matches, type Stamps } from './stamp.js';
import type { UncacheableReason } from './statement-analysis.js';
import { isValueVersion } from './version-name.js';

/** The entries kept in this process (L1). */
export interface LocalEntries<E extends CacheEntry> {
  get(key: string): E | undefined;
  set(key: string, entry: CacheEntry): E;
}

export type ReadOutcome<E extends CacheEntry> =
  | { readonly source: 'hit'; readonly level: CacheLevel; readonly entry: E }
  /** Filled here or shared with a fill under way; `refusal`: why it was not stored. */
  | {
      readonly source: 'miss';
      readonly stored: boolean;
      readonly refusal: UncacheableReason | undefined;
      readonly entry: E;
    }
  | { readonly source: 'bypass'; readonly reason: BypassReason; readonly answer: Answer };

export interface ReadProtocolOptions extends SingleFlightOptions {
  /** How long versions once read may be reused, in milliseconds; 0: not at all. */
  readonly maxStalenessMs: number;
  /** Answers with a longer body are not stored. */
  readonly maxEntryBytes: number;
  /** Values asked for in vain whose answers are stored in a minute; others are answered and not stored. */
  readonly unknownKeysPerMinute: number;
}

export interface ReadProtocolParts<E extends CacheEntry> {
  readonly gate: FreshnessGate;
  readonly local: LocalEntries<E>;
  readonly fills: FillCoordinator;
  readonly toEntry: (entry: CacheEntry) => E;
  readonly tagOf: (body: Buffer) => string;
  /** Milliseconds since the Unix epoch. */
  readonly wallClock: Clock;
  readonly monotonicClock: Clock;
  readonly timers: Timers;
  readonly events: CacheEvents;
}

interface Filled {
  readonly entry: CacheEntry;
  /** Why the entry must not be stored. */
  readonly refusal: UncacheableReason | undefined;
}

export class ReadProtocol<E extends CacheEntry> {
  readonly #flights: SingleFlight<ReadOutcome<E>>;
  /** By key, those of requests that have not been answered. */
  readonly #looks = new Map<string, Look>();
  readonly #unknownKeys: RateLimit;
  readonly #verifiedAtMs = new WeakMap<CacheEntry, number>();

  constructor(
    private readonly parts: ReadProtocolParts<E>,
    private readonly options: ReadProtocolOptions,
  ) {
    this.#flights = new SingleFlight(parts.timers, options);
    this.#unknownKeys = new RateLimit(options.unknownKeysPerMinute, parts.monotonicClock);
  }

  async read(request: ReadRequest): Promise<ReadOutcome<E>> {
    const { key, dependencies } = request;
    const { gate, monotonicClock } = this.parts;
    const local = this.#alive(this.parts.local.get(key));
    if (local && this.#isWithinStaleness(local)) return this.#hit(request, 'L1', local);
    const arrivedAtMs = monotonicClock.nowMs();
    if (!local) {
      return this.#looking(key, async (look) => {
        const freshness = await gate.check(dependencies.tables);
        if (freshness.trusted) {
          return this.#readShared(request, freshness.stamps, look, arrivedAtMs);
        }
        look.drop();
        return this.bypass(request, freshness.reason);
      });
    }
    const freshness = await gate.check(dependencies.tables);
    if (!freshness.trusted) return this.bypass(request, freshness.reason);
    const { stamps } = freshness;
    if (matches(local.stamp, stamps)) {
      this.#verified(local, arrivedAtMs);
      return this.#hit(request, 'L1', local);
    }
    return this.#looking(key, (look) => this.#readShared(request, stamps, look, arrivedAtMs));
  }

  /** Runs the query and stores nothing. */
  async bypass(
    request: Pick<ReadRequest, 'query' | 'run'>,
    reason: BypassReason,
    detail?: string,
  ): Promise<ReadOutcome<E>> {
    this.parts.events.tell('bypass', { query: request.query, reason, detail });
    return { source: 'bypass', reason, answer: await request.run() };
  }

  /**
   * Looks in the shared store. Requests for a key share the look of the first of them until that one has been
   * answered: the stamp of what it finds is compared by each. Its lock is the first one's alone.
   */
  async #looking<T>(key: string, use: (look: Look) => Promise<T>): Promise<T> {
    const underWay = this.#looks.get(key);
    if (underWay) return use(underWay.withoutLock());
    const look = this.parts.fills.look(key);
    this.#looks.set(key, look);
    try {
      return await use(look);
    } finally {
      this.#looks.delete(key);
      look.drop();
    }
  }

  async #readShared(
    request: ReadRequest,
    stamps: Stamps,
    look: Look,
    arrivedAtMs: number,
  ): Promise<ReadOutcome<E>> {
    const { local } = this.parts;
    const stored = this.#alive(await look.entry);
    // A fill may have ended since the versions were read.
    const filled = this.#alive(local.get(request.key));
    if (filled && matches(filled.stamp, stamps)) return this.#hit(request, 'L1', filled);
    if (stored && matches(stored.stamp, stamps)) {
      const entry = local.set(request.key, stored);
      this.#verified(entry, arrivedAtMs);
      return this.#hit(request, 'L2', entry);
    }
    const flight = await this.#flights.run(`${request.key} ${stamps.withInserts}`, () =>
      this.#fill(request, stamps, look),
    );
    if (flight.role === 'turned-away') return this.bypass(request, 'fill-timeout');
    if (flight.role === 'waiter') {
      this.parts.events.tell('joined', { query: request.query, scope: 'process' });
    }
    return flight.value;
  }

  async #fill(request: ReadRequest, stamps: Stamps, look: Look): Promise<ReadOutcome<E>> {
    const { fills, local, toEntry, events, monotonicClock } = this.parts;
    const { key, query } = request;
    const startedMs = monotonicClock.nowMs();
    let filled: Filled | undefined;
    const stored = await fills.run({
      key,
      lock: look.takeLock(),
      accepts: (entry) => matches(entry.stamp, stamps) && this.#alive(entry) !== undefined,
      fill: async () => {
        filled = await this.#run(request, stamps);
        return filled.refusal === undefined ? filled.entry : undefined;
      },
    });
    if (stored) {
      events.tell('joined', { query, scope: 'instances' });
      return this.#hit(request, 'L2', local.set(key, stored));
    }
    if (!filled) throw new Error('A fill ended without an answer.');
    const { refusal } = filled;
    const isStored = refusal === undefined;
    const entry = isStored ? local.set(key, filled.entry) : toEntry(filled.entry);
    const durationMs = monotonicClock.nowMs() - startedMs;
    events.tell('miss', { query, stored: isStored, refusal, durationMs });
    return { source: 'miss', stored: isStored, refusal, entry };
  }

  async #run(request: ReadRequest, stamps: Stamps): Promise<Filled> {
    const { gate, events, wallClock, tagOf } = this.parts;
    let answer: Answer;
    try {
      answer = await request.run();
    } catch (error) {
      events.tell('fillFailed', { query: request.query });
      gate.notStored(stamps);
      throw error;
    }
    const { completeRowCount, tables } = request.dependencies;
    const isComplete = completeRowCount !== undefined && answer.rowCount >= completeRowCount;
    const createdAtMs = wallClock.nowMs();
    const ttlMs = request.ttlMs(answer);
    const entry: CacheEntry = {
      stamp: isComplete ? stamps.withoutInserts : stamps.withInserts,
      body: answer.body,
      empty: answer.empty,
      tag: tagOf(answer.body),
      createdAtMs,
      expiresAtMs: createdAtMs + ttlMs,
      headers: answer.headers,
    };
    const refusal = this.#refusalOf(answer, request.dependencies);
    if (refusal === undefined) gate.stored(stamps, tables, ttlMs);
    else gate.notStored(stamps);
    return { entry, refusal };
  }

  #refusalOf(answer: Answer, dependencies: Dependencies): UncacheableReason | undefined {
    if (answer.refusal !== undefined) return answer.refusal;
    if (answer.body.length > this.options.maxEntryBytes) return 'too-large';
    return this.#unknownKeys.take(unknownKeys(answer, dependencies)) ? undefined : 'unknown-keys';
  }

  #hit(request: ReadRequest, level: CacheLevel, entry: E): ReadOutcome<E> {
    this.parts.events.tell('hit', { query: request.query, level });
    return { source: 'hit', level, entry };
  }

  #alive<T extends CacheEntry>(entry: T | undefined): T | undefined {
    return entry && entry.expiresAtMs > this.parts.wallClock.nowMs() ? entry : undefined;
  }

  #isWithinStaleness(entry: E): boolean {
    const { maxStalenessMs } = this.options;
    if (maxStalenessMs <= 0) return false;
    const verifiedAtMs = this.#verifiedAtMs.get(entry);
    const nowMs = this.parts.monotonicClock.nowMs();
    return verifiedAtMs !== undefined && nowMs - verifiedAtMs < maxStalenessMs;
  }

  /** Remembers when the read of the versions started, not when it ended: the earlier of the two. */
  #verified(entry: E, atMs: number): void {
    if (this.options.maxStalenessMs > 0) this.#verifiedAtMs.set(entry, atMs);
  }
}

/** How many of the values that the answer was confined to have no row, as far as it shows. */
function unknownKeys({ empty, rowCount }: Answer, dependencies: Dependencies): number {
  const { completeRowCount, tables } = dependencies;
  if (!empty) return Math.max(0, (completeRowCount ?? 0) - rowCount);
  return tables.reduce((sum, { names }) => sum + names.filter(isValueVersion).length, 0);
}
