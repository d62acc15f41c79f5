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
import type { BypassReason, CacheEvents, CacheLevel } from './ports/cache-events.js';
import type { Timers } from './ports/clock.js';
import type { CacheEntry, LocalEntries } from './ports/entry-store.js';
import type { DistributedSingleFlight, Filled } from './distributed-single-flight.js';
import type { Stamp } from './freshness-gate.js';
import { QueryFill, type QueryFillOptions, type QueryFillParts } from './query-fill.js';
import { AbandonedFillError, type ReadOutcome, type ReadRequest } from './read-request.js';
import type { RegionNames } from './region-names.js';
import { SingleFlight, type SingleFlightOptions } from './single-flight.js';
import { missCauseOf } from './stamp-difference.js';

export interface ReadProtocolOptions extends SingleFlightOptions, QueryFillOptions {
  /** How long versions may be reused after they were read, in milliseconds; 0: never. */
  readonly maxStalenessMs: number;
}

export interface ReadProtocolParts<E extends CacheEntry> extends QueryFillParts {
  readonly local: LocalEntries<E>;
  readonly fills: DistributedSingleFlight;
  readonly toEntry: (entry: CacheEntry) => E;
  /** Length of the entry's body, which need not exist as a Buffer. */
  readonly bodyBytesOf: (entry: E) => number;
  readonly regionNames: RegionNames;
  readonly timers: Timers;
  readonly events: CacheEvents;
}

/** A read that no entry in memory answers. */
interface LocalMiss {
  readonly request: ReadRequest;
  readonly arrivedAtMs: number;
  readonly stamp: Stamp;
  /** The entry in memory. */
  readonly known: CacheEntry | undefined;
}

/** A query that has run under a stamp. */
interface Fill {
  readonly startedMs: number;
  readonly filled: Filled;
  readonly why: ReturnType<typeof missCauseOf> | typeof FRESH;
}

const FRESH = { cause: 'fresh', outdated: [] } as const;

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
    if (known && this.#isVerified(known, arrivedAtMs))
      return this.#hit(request, arrivedAtMs, 'L1', known);
    const drop = known ? undefined : fills.lookAhead(key);
    const freshness = await gate.check(dependencies.tables);
    if (!freshness.trusted) {
      drop?.();
      return this.bypass(request, freshness.reason);
    }
    try {
      const { stamp } = freshness;
      // A fill may have ended since the request arrived.
      const kept = local.get(key);
      const outcome =
        kept?.stamp === stamp.text && this.#alive(kept)
          ? this.#hit(request, arrivedAtMs, 'L1', kept)
          : await this.#share({ request, arrivedAtMs, stamp, known: kept });
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
    const fill = fills.fillAlone(key, () => this.#queryFill.run(request, stamp));
    const filled = await this.#reported(request, fill);
    return this.#missed(request, { startedMs, filled, why: FRESH });
  }

  async #share(miss: LocalMiss): Promise<ReadOutcome<E>> {
    const { request, arrivedAtMs, stamp } = miss;
    const { key, query } = request;
    const shared = this.#flights.run(`${key} ${stamp.text}`, () => this.#fill(miss));
    const flight = await this.#reported(request, shared);
    if (flight.role === 'turned-away') return this.bypass(request, 'fill-timeout');
    const { value } = flight;
    if (flight.role === 'leader') return value;
    if (value.source === 'hit') return this.#hit(request, arrivedAtMs, value.level, value.entry);
    this.parts.events.emitSafely('joined', { query, scope: 'process' });
    return value;
  }

  async #fill({ request, arrivedAtMs, stamp, known }: LocalMiss): Promise<ReadOutcome<E>> {
    const { fills, local, events, monotonicClock } = this.parts;
    const { key, query, dependencies } = request;
    const startedMs = monotonicClock.nowMs();
    const outcome = await fills.run({
      key,
      accepts: (entry) => entry.stamp === stamp.text && this.#alive(entry) !== undefined,
      fill: () => this.#queryFill.run(request, stamp),
    });
    if (outcome.stored) {
      if (outcome.hasWaited) events.emitSafely('joined', { query, scope: 'instances' });
      const entry = local.set(key, outcome.stored, dependencies.tables);
      return this.#hit(request, arrivedAtMs, 'L2', entry);
    }
    const { filled, rejected } = outcome;
    return this.#missed(request, { startedMs, filled, why: missCauseOf(stamp, [known, rejected]) });
  }

  #missed(request: ReadRequest, { startedMs, filled, why }: Fill): ReadOutcome<E> {
    const { local, toEntry, regionNames, events, monotonicClock } = this.parts;
    const { query, key, dependencies } = request;
    const { refusal, entry } = filled;
    const stored = refusal === undefined;
    const durationMs = monotonicClock.nowMs() - startedMs;
    events.emitSafely('miss', {
      query,
      key,
      stored,
      refusal,
      cause: why.cause,
      outdated: regionNames(why.outdated),
      durationMs,
      bytes: entry.body.length,
      regions: regionNames(dependencies.tables),
    });
    return {
      source: 'miss',
      stored,
      refusal,
      entry: stored ? local.set(key, entry, dependencies.tables) : toEntry(entry),
    };
  }

  #hit(request: ReadRequest, arrivedAtMs: number, level: CacheLevel, entry: E): ReadOutcome<E> {
    const { events, monotonicClock, bodyBytesOf, regionNames } = this.parts;
    if (events.listenerCount('hit') > 0) {
      const { query, key, dependencies } = request;
      events.emitSafely('hit', {
        query,
        key,
        level,
        durationMs: monotonicClock.nowMs() - arrivedAtMs,
        bytes: bodyBytesOf(entry),
        regions: regionNames(dependencies.tables),
      });
    }
    return { source: 'hit', level, entry };
  }

  /** Emits that the fill has failed, for this request. Settles as the fill does. */
  async #reported<T>({ query }: ReadRequest, fill: Promise<T>): Promise<T> {
    try {
      return await fill;
    } catch (error) {
      const hasFailed = !(error instanceof AbandonedFillError);
      if (hasFailed) this.parts.events.emitSafely('fillFailed', { query });
      throw error;
    }
  }

  #alive<T extends CacheEntry>(entry: T | undefined): T | undefined {
    return entry && entry.expiresAtMs > this.parts.wallClock.nowMs() ? entry : undefined;
  }

  #isVerified(entry: E, nowMs: number): boolean {
    const verifiedAtMs = this.#verifiedAtMs.get(entry) ?? -Infinity;
    return nowMs - verifiedAtMs < this.options.maxStalenessMs;
  }
}
