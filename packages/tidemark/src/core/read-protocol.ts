/**
 * The read side of the protocol.
 *
 * 1. Read the epoch and the versions of all dependencies (freshness-gate.ts) after the request arrived. If one of them
 *    is in doubt, or the store does not answer: run the query, store nothing.
 * 2. If an entry in memory has the same stamp, it answers the request.
 * 3. Otherwise an entry in the shared store with the same stamp answers it, or a fill does: one per key and stamp in
 *    this process (single-flight.ts), and one per key among all instances (distributed-single-flight.ts). The fill
 *    (query-fill.ts) stores its entry with the stamp that was read before the SELECT.
 *
 * A fresh read skips 2 and fills alone: a fill that is shared may have begun before the request arrived.
 *
 * Why this is correct. The stamp was read before the SELECT, so the answer is at least as new as the stamp. The
 * versions compared were read after the request arrived, so no write committed in between, however old the entry is. A
 * mark covers each COMMIT from before to after, so no reader can read the old rows and store them under the new
 * version. An entry with an old stamp never matches again. A fill that began before the request arrived is shared only
 * under an equal stamp.
 *
 * How often a read waits. A hit in memory waits for the shared store once. So does a miss without an entry in memory:
 * it reads the versions and the entry and takes the lock of the fill in one round trip. A miss waits twice if it
 * creates missing versions, or if its entry in memory has an old stamp.
 */
import type { BypassReason, CacheLevel } from './ports/cache-events.js';
import type { Timers } from './ports/clock.js';
import type { CacheEntry, LocalEntries } from './ports/entry-store.js';
import type { DistributedSingleFlight, Filled } from './distributed-single-flight.js';
import type { Stamp } from './freshness-gate.js';
import { QueryFill, type QueryFillOptions, type QueryFillParts } from './query-fill.js';
import type { ReadOutcome, ReadRequest } from './read-request.js';
import { SingleFlight, type SingleFlightOptions } from './single-flight.js';

export interface ReadProtocolOptions extends SingleFlightOptions, QueryFillOptions {
  /** How long versions may be reused after they were read, in milliseconds; 0: never. */
  readonly maxStalenessMs: number;
}

export interface ReadProtocolParts<E extends CacheEntry> extends QueryFillParts {
  readonly local: LocalEntries<E>;
  readonly fills: DistributedSingleFlight;
  readonly toEntry: (entry: CacheEntry) => E;
  readonly timers: Timers;
}

export class ReadProtocol<E extends CacheEntry> {
  readonly #flights: SingleFlight<ReadOutcome<E>>;
  readonly #queryFill: QueryFill;
  readonly #verifiedAtMs = new WeakMap<CacheEntry, number>();

  constructor(
    private readonly parts: ReadProtocolParts<E>,
    private readonly options: ReadProtocolOptions,
  ) {
    this.#flights = new SingleFlight(parts.timers, options);
    this.#queryFill = new QueryFill(parts, options);
  }

  async read(request: ReadRequest): Promise<ReadOutcome<E>> {
    const { gate, fills, local, monotonicClock } = this.parts;
    const { key, dependencies, fresh } = request;
    if (fresh === 'no-store') return this.bypass(request, 'no-store');
    if (fresh === 'store') return this.#readFresh(request);
    const arrivedAtMs = monotonicClock.nowMs();
    const known = this.#alive(local.get(key));
    if (known && this.#isVerified(known, arrivedAtMs)) return this.#hit(request, 'L1', known);
    const drop = known ? undefined : fills.lookAhead(key);
    const freshness = await gate.check(dependencies.tables);
    if (!freshness.trusted) {
      drop?.();
      return this.bypass(request, freshness.reason);
    }
    try {
      const { stamp } = freshness;
      // A fill may have ended since the request arrived.
      const kept = this.#alive(local.get(key));
      const isKept = kept?.stamp === stamp.text;
      const outcome = isKept ? this.#hit(request, 'L1', kept) : await this.#share(request, stamp);
      // The versions were read after the request arrived: the arrival of the request is the earlier moment and counts.
      if (this.options.maxStalenessMs > 0 && outcome.source === 'hit') {
        this.#verifiedAtMs.set(outcome.entry, arrivedAtMs);
      }
      return outcome;
    } finally {
      drop?.();
    }
  }

  /** Runs the query and stores nothing. */
  async bypass(
    request: Pick<ReadRequest, 'query' | 'run'>,
    reason: BypassReason,
    detail?: string,
  ): Promise<ReadOutcome<E>> {
    const { events, monotonicClock } = this.parts;
    const startedMs = monotonicClock.nowMs();
    try {
      return { source: 'bypass', reason, answer: await request.run() };
    } finally {
      const durationMs = monotonicClock.nowMs() - startedMs;
      events.emitSafely('bypass', { query: request.query, reason, detail, durationMs });
    }
  }

  async #readFresh(request: ReadRequest): Promise<ReadOutcome<E>> {
    const { gate, fills, monotonicClock } = this.parts;
    const { key, dependencies } = request;
    const freshness = await gate.check(dependencies.tables);
    if (!freshness.trusted) return this.bypass(request, freshness.reason);
    const startedMs = monotonicClock.nowMs();
    const { stamp } = freshness;
    const filled = await fills.fillAlone(key, () => this.#queryFill.run(request, stamp));
    return this.#missed(request, filled, startedMs);
  }

  async #share(request: ReadRequest, stamp: Stamp): Promise<ReadOutcome<E>> {
    const { key, query } = request;
    const flight = await this.#flights.run(`${key} ${stamp.text}`, () =>
      this.#fill(request, stamp),
    );
    if (flight.role === 'turned-away') return this.bypass(request, 'fill-timeout');
    const { value } = flight;
    if (flight.role === 'leader') return value;
    if (value.source === 'hit') return this.#hit(request, value.level, value.entry);
    this.parts.events.emitSafely('joined', { query, scope: 'process' });
    return value;
  }

  async #fill(request: ReadRequest, stamp: Stamp): Promise<ReadOutcome<E>> {
    const { fills, local, events, monotonicClock } = this.parts;
    const { key, query } = request;
    const startedMs = monotonicClock.nowMs();
    const outcome = await fills.run({
      key,
      accepts: (entry) => entry.stamp === stamp.text && this.#alive(entry) !== undefined,
      fill: () => this.#queryFill.run(request, stamp),
    });
    if (outcome.stored) {
      if (outcome.hasWaited) events.emitSafely('joined', { query, scope: 'instances' });
      return this.#hit(request, 'L2', local.set(key, outcome.stored, request.dependencies.tables));
    }
    return this.#missed(request, outcome.filled, startedMs);
  }

  #missed(
    { key, query, dependencies }: ReadRequest,
    { refusal, entry }: Filled,
    startedMs: number,
  ): ReadOutcome<E> {
    const { local, toEntry, events, monotonicClock } = this.parts;
    const stored = refusal === undefined;
    const durationMs = monotonicClock.nowMs() - startedMs;
    events.emitSafely('miss', {
      query,
      key,
      stored,
      refusal,
      cause: 'new',
      outdated: [],
      durationMs,
      bytes: entry.body.length,
      regions: [],
    });
    return {
      source: 'miss',
      stored,
      refusal,
      entry: stored ? local.set(key, entry, dependencies.tables) : toEntry(entry),
    };
  }

  #hit(request: ReadRequest, level: CacheLevel, entry: E): ReadOutcome<E> {
    const { query, key } = request;
    this.parts.events.emitSafely('hit', {
      query,
      key,
      level,
      durationMs: 0,
      bytes: 0,
      regions: [],
    });
    return { source: 'hit', level, entry };
  }

  #alive<T extends CacheEntry>(entry: T | undefined): T | undefined {
    return entry && entry.expiresAtMs > this.parts.wallClock.nowMs() ? entry : undefined;
  }

  #isVerified(entry: E, nowMs: number): boolean {
    const verifiedAtMs = this.#verifiedAtMs.get(entry) ?? -Infinity;
    return nowMs - verifiedAtMs < this.options.maxStalenessMs;
  }
}
