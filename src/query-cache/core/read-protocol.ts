/**
 * The read side of the protocol.
 *
 * 1. Read the epoch and the versions of all dependencies (freshness-gate.ts), after the request
 *    arrived. In doubt, or no answer: run the query, store nothing.
 * 2. An entry in memory with the same stamp answers the request.
 * 3. Else an entry in the shared store with the same stamp does, or a fill: one per key and stamp in this
 *    process (single-flight.ts) and one per key among all instances (fill-coordinator.ts). The fill
 *    (query-fill.ts) stores its entry with the stamp that was read before the SELECT.
 *
 * Why it is right. The stamp was read before the SELECT, so the answer is at least as new as the
 * stamp. The versions compared were read after the request arrived, so nothing committed in
 * between, however old the entry that they are compared with. A commit is always enclosed by a mark,
 * so nobody can read the old rows and store them under the new version. An entry with an old stamp
 * can never match again. Sharing a fill that began before the request arrived is right for the same
 * reason: the stamps are equal.
 *
 * How often it waits. A hit in memory waits for the shared store once. So does a miss without an entry in
 * memory: it asks for the versions, the entry and the lock of the fill in one round trip. It waits twice where
 * it creates versions that are missing, and so does a miss whose entry in memory has an old stamp.
 */
import type { BypassReason, CacheLevel } from './cache-events.js';
import type { Timers } from './clock.js';
import type { CacheEntry, LocalEntries } from './entry-store.js';
import type { FillCoordinator, LookAhead } from './fill-coordinator.js';
import { QueryFill, type QueryFillOptions, type QueryFillParts } from './query-fill.js';
import type { ReadOutcome, ReadRequest } from './read-request.js';
import { SingleFlight, type SingleFlightOptions } from './single-flight.js';
import type { Stamp } from './stamp.js';

export interface ReadProtocolOptions extends SingleFlightOptions, QueryFillOptions {
  /** How long versions once read may be reused, in milliseconds; 0: not at all. */
  readonly maxStalenessMs: number;
}

export interface ReadProtocolParts<E extends CacheEntry> extends QueryFillParts {
  readonly local: LocalEntries<E>;
  readonly fills: FillCoordinator;
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
    const { key, dependencies } = request;
    const arrivedAtMs = monotonicClock.nowMs();
    const known = this.#alive(local.get(key));
    const isVerified = known && this.#isWithinStaleness(known, arrivedAtMs);
    if (isVerified) return this.#hit(request, 'L1', known);
    const ahead = known ? undefined : fills.lookAhead(key);
    try {
      const freshness = await gate.check(dependencies.tables);
      if (!freshness.trusted) {
        if (ahead) fills.drop(key, ahead);
        return await this.bypass(request, freshness.reason);
      }
      const { stamp } = freshness;
      // A fill may have ended since the request arrived.
      const kept = this.#alive(local.get(key));
      const outcome =
        kept?.stamp === stamp.text
          ? this.#hit(request, 'L1', kept)
          : await this.#share(request, stamp, ahead);
      // The versions were read after the request arrived: of the two moments, the earlier one counts.
      if (outcome.source === 'hit') this.#verified(outcome.entry, arrivedAtMs);
      return outcome;
    } finally {
      if (ahead) fills.drop(key, ahead);
    }
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

  async #share(
    request: ReadRequest,
    stamp: Stamp,
    ahead: LookAhead | undefined,
  ): Promise<ReadOutcome<E>> {
    const { key, query } = request;
    const flight = await this.#flights.run(`${key} ${stamp.text}`, () =>
      this.#fill(request, stamp, ahead),
    );
    if (flight.role === 'turned-away') return this.bypass(request, 'fill-timeout');
    const { value } = flight;
    if (flight.role === 'leader') return value;
    if (value.source === 'hit') return this.#hit(request, value.level, value.entry);
    this.parts.events.tell('joined', { query, scope: 'process' });
    return value;
  }

  async #fill(
    request: ReadRequest,
    stamp: Stamp,
    ahead: LookAhead | undefined,
  ): Promise<ReadOutcome<E>> {
    const { fills, local, toEntry, events, monotonicClock } = this.parts;
    const { key, query } = request;
    const startedMs = monotonicClock.nowMs();
    const outcome = await fills.run({
      key,
      ahead,
      accepts: (entry) => entry.stamp === stamp.text && this.#alive(entry) !== undefined,
      fill: () => this.#queryFill.run(request, stamp),
    });
    if (outcome.stored) {
      if (outcome.hasWaited) events.tell('joined', { query, scope: 'instances' });
      return this.#hit(request, 'L2', local.set(key, outcome.stored));
    }
    const { refusal, entry } = outcome.filled;
    const stored = refusal === undefined;
    const durationMs = monotonicClock.nowMs() - startedMs;
    events.tell('miss', { query, stored, refusal, durationMs });
    return {
      source: 'miss',
      stored,
      refusal,
      entry: stored ? local.set(key, entry) : toEntry(entry),
    };
  }

  #hit(request: ReadRequest, level: CacheLevel, entry: E): ReadOutcome<E> {
    this.parts.events.tell('hit', { query: request.query, level });
    return { source: 'hit', level, entry };
  }

  #alive<T extends CacheEntry>(entry: T | undefined): T | undefined {
    return entry && entry.expiresAtMs > this.parts.wallClock.nowMs() ? entry : undefined;
  }

  #isWithinStaleness(entry: E, nowMs: number): boolean {
    const { maxStalenessMs } = this.options;
    if (maxStalenessMs <= 0) return false;
    const verifiedAtMs = this.#verifiedAtMs.get(entry);
    return verifiedAtMs !== undefined && nowMs - verifiedAtMs < maxStalenessMs;
  }

  #verified(entry: E, atMs: number): void {
    if (this.options.maxStalenessMs > 0) this.#verifiedAtMs.set(entry, atMs);
  }
}
