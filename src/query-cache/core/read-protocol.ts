/**
 * The read side of the protocol.
 *
 * 1. Read the epoch and the versions of all dependencies (freshness-gate.ts), after the request
 *    arrived. In doubt, or no answer: run the query, store nothing.
 * 2. An entry in memory, then one in the shared store, with the same stamp answers the request.
 * 3. Else fill: one fill per key and stamp in this process (single-flight.ts) and among all
 *    instances (fill-coordinator.ts); store the entry with the stamp read before the SELECT.
 *    A fill may begin before the first step has been answered, under the stamp that was read last;
 *    it counts where that still is the stamp (head-starts.ts).
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
import type { CacheEntry, EntryStore } from './entry-store.js';
import type { Dependencies } from './dependency.js';
import type { FillCoordinator } from './fill-coordinator.js';
import type { FreshnessGate } from './freshness-gate.js';
import { begun, HeadStarts } from './head-starts.js';
import type { Answer, ReadRequest } from './read-request.js';
import { RateLimit } from './rate-limit.js';
import { SharedLooks, type Look } from './shared-looks.js';
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
  /** Misses in a row that nobody else could have answered, after which fills of a query get a head start. */
  readonly headStartAfter: number;
}

interface Clocks {
  /** Milliseconds since the Unix epoch. */
  readonly wall: Clock;
  readonly monotonic: Clock;
}

interface Filled {
  readonly entry: CacheEntry;
  /** Why the entry must not be stored. */
  readonly refusal: UncacheableReason | undefined;
}

export class ReadProtocol<E extends CacheEntry> {
  readonly #flights: SingleFlight<ReadOutcome<E>>;
  readonly #looks: SharedLooks<E>;
  readonly #headStarts: HeadStarts;
  readonly #unknownKeys: RateLimit;
  readonly #verifiedAtMs = new WeakMap<CacheEntry, number>();

  constructor(
    private readonly gate: FreshnessGate,
    private readonly local: LocalEntries<E>,
    shared: EntryStore,
    private readonly fills: FillCoordinator,
    private readonly toEntry: (entry: CacheEntry) => E,
    private readonly tagOf: (body: Buffer) => string,
    private readonly clocks: Clocks,
    timers: Timers,
    private readonly events: CacheEvents,
    private readonly options: ReadProtocolOptions,
  ) {
    this.#flights = new SingleFlight(timers, options);
    this.#unknownKeys = new RateLimit(options.unknownKeysPerMinute, clocks.monotonic);
    this.#headStarts = new HeadStarts(options.headStartAfter, events);
    this.#looks = new SharedLooks(shared, fills, toEntry, tagOf, () =>
      events.tell('storeFailed', { operation: 'get' }),
    );
  }

  async read(request: ReadRequest): Promise<ReadOutcome<E>> {
    const local = this.#alive(this.local.get(request.key));
    if (local && this.#isWithinStaleness(local)) return this.#hit(request, 'L1', local);
    const arrivedAtMs = this.clocks.monotonic.nowMs();
    if (!local) return this.#readShared(request, arrivedAtMs);
    const freshness = await this.gate.check(request.dependencies.tables);
    if (!freshness.trusted) return this.bypass(request, freshness.reason);
    const { stamps } = freshness;
    if (matches(local.stamp, stamps)) {
      this.#verified(local, arrivedAtMs);
      return this.#hit(request, 'L1', local);
    }
    return this.#looks.share(
      request.key,
      stamps,
      () => this.#looks.lookFor(request.key, stamps),
      (look) => this.#answerShared(request, stamps, look, arrivedAtMs),
    );
  }

  /** Without an entry in memory the shared one is asked for in the same round trip as the versions. */
  async #readShared(request: ReadRequest, arrivedAtMs: number): Promise<ReadOutcome<E>> {
    const { key, dependencies } = request;
    const expected = this.gate.lastStamps(dependencies.tables);
    const begin = (): Look<E> => {
      const isFilling = expected && this.#flights.isRunning(flightKeyOf(key, expected));
      const headStart = isFilling
        ? undefined
        : this.#headStarts.begin(request, expected, arrivedAtMs);
      return this.#looks.lookForCold(key, expected, headStart);
    };
    return this.#looks.share(key, expected, begin, async (look, isOwn) => {
      const { headStart } = look;
      try {
        const freshness = await this.gate.check(dependencies.tables);
        if (freshness.trusted) {
          return await this.#answerShared(request, freshness.stamps, look, arrivedAtMs);
        }
        // What was sent for an earlier request may be older than this one.
        const own = isOwn ? begun(request, headStart) : request;
        return await this.bypass(own, freshness.reason);
      } finally {
        if (isOwn && headStart) this.#headStarts.end(headStart);
      }
    });
  }

  async #answerShared(
    request: ReadRequest,
    stamps: Stamps,
    look: Look<E>,
    arrivedAtMs: number,
  ): Promise<ReadOutcome<E>> {
    const stored = this.#alive(await look.entry);
    if (stored && matches(stored.stamp, stamps)) {
      this.#learn(request, look, false);
      const entry = this.local.set(request.key, stored);
      this.#verified(entry, arrivedAtMs);
      return this.#hit(request, 'L2', entry);
    }
    // A fill may have ended since the versions were read.
    const filled = this.#alive(this.local.get(request.key));
    if (filled && matches(filled.stamp, stamps)) return this.#hit(request, 'L1', filled);
    return this.#fill(request, stamps, look);
  }

  /** Runs the query and stores nothing. */
  async bypass(
    request: Pick<ReadRequest, 'query' | 'run'>,
    reason: BypassReason,
    detail?: string,
  ): Promise<ReadOutcome<E>> {
    this.events.tell('bypass', { query: request.query, reason, detail });
    return { source: 'bypass', reason, answer: await request.run() };
  }

  async #fill(request: ReadRequest, stamps: Stamps, look: Look<E>): Promise<ReadOutcome<E>> {
    const flightKey = flightKeyOf(request.key, stamps);
    const flight = await this.#flights.run(flightKey, () => this.#lead(request, stamps, look));
    if (flight.role === 'turned-away') {
      const isOwn = look.headStart?.request === request;
      return this.bypass(isOwn ? begun(request, look.headStart) : request, 'fill-timeout');
    }
    if (flight.role === 'waiter') {
      this.events.tell('joined', { query: request.query, scope: 'process' });
    }
    return flight.value;
  }

  async #lead(request: ReadRequest, stamps: Stamps, look: Look<E>): Promise<ReadOutcome<E>> {
    const { lock, headStart } = look;
    const name = this.#looks.fillName(request.key, stamps);
    // Who comes after a failure starts anew.
    const isOpen = headStart?.request === request || headStart?.hasFailed === false;
    const isExpected = headStart?.stamps.withInserts === stamps.withInserts;
    const early = isOpen && isExpected ? headStart : undefined;
    const startedMs = early ? early.startedMs : this.clocks.monotonic.nowMs();
    let filled: Filled | undefined;
    const { stored, isAlone } = await this.fills.run({
      name,
      early: lock?.name.stamp === name.stamp ? lock : undefined,
      isBegun: early !== undefined,
      accepts: (entry) => matches(entry.stamp, stamps) && this.#alive(entry) !== undefined,
      fill: async () => {
        filled = await this.#answerEntry(begun(request, early), stamps);
        return filled.refusal === undefined ? filled.entry : undefined;
      },
    });
    const isInVain = headStart !== early;
    void isAlone.then((isNeeded) => this.#learn(request, look, isNeeded && !isInVain));
    if (stored) {
      this.events.tell('joined', { query: request.query, scope: 'instances' });
      return this.#hit(request, 'L2', this.local.set(request.key, stored));
    }
    if (!filled) throw new Error('A fill ended without an answer.');
    const { refusal } = filled;
    const isStored = refusal === undefined;
    const entry = isStored ? this.local.set(request.key, filled.entry) : this.toEntry(filled.entry);
    this.events.tell('miss', {
      query: request.query,
      stored: isStored,
      refusal,
      durationMs: this.clocks.monotonic.nowMs() - startedMs,
    });
    return { source: 'miss', stored: isStored, refusal, entry };
  }

  async #answerEntry(request: ReadRequest, stamps: Stamps): Promise<Filled> {
    let answer: Answer;
    try {
      answer = await request.run();
    } catch (error) {
      this.events.tell('fillFailed', { query: request.query });
      this.gate.notStored(stamps);
      throw error;
    }
    const { completeRowCount, tables } = request.dependencies;
    const isComplete = completeRowCount !== undefined && answer.rowCount >= completeRowCount;
    const createdAtMs = this.clocks.wall.nowMs();
    const ttlMs = request.ttlMs(answer);
    const entry: CacheEntry = {
      stamp: isComplete ? stamps.withoutInserts : stamps.withInserts,
      body: answer.body,
      empty: answer.empty,
      tag: this.tagOf(answer.body),
      createdAtMs,
      expiresAtMs: createdAtMs + ttlMs,
      headers: answer.headers,
    };
    const refusal = this.#refusalOf(answer, request.dependencies);
    if (refusal === undefined) this.gate.stored(stamps, tables, ttlMs);
    else this.gate.notStored(stamps);
    return { entry, refusal };
  }

  #refusalOf(answer: Answer, dependencies: Dependencies): UncacheableReason | undefined {
    if (answer.refusal !== undefined) return answer.refusal;
    if (answer.body.length > this.options.maxEntryBytes) return 'too-large';
    return this.#unknownKeys.take(unknownKeys(answer, dependencies)) ? undefined : 'unknown-keys';
  }

  #learn({ query }: ReadRequest, { isCold }: Look<E>, isNeeded: boolean): void {
    if (isCold) this.#headStarts.learn(query, isNeeded);
  }

  #hit(request: ReadRequest, level: CacheLevel, entry: E): ReadOutcome<E> {
    this.events.tell('hit', { query: request.query, level });
    return { source: 'hit', level, entry };
  }

  #alive<T extends CacheEntry>(entry: T | undefined): T | undefined {
    return entry && entry.expiresAtMs > this.clocks.wall.nowMs() ? entry : undefined;
  }

  #isWithinStaleness(entry: E): boolean {
    const { maxStalenessMs } = this.options;
    if (maxStalenessMs <= 0) return false;
    const verifiedAtMs = this.#verifiedAtMs.get(entry);
    return (
      verifiedAtMs !== undefined && this.clocks.monotonic.nowMs() - verifiedAtMs < maxStalenessMs
    );
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

function flightKeyOf(key: string, stamps: Stamps): string {
  return `${key} ${stamps.withInserts}`;
}
