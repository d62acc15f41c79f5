/**
 * Counts the events of one cache, from {@link start} to {@link stop}. A hit costs a few increments: its regions are
 * counted for 50 hits a second, and beyond that for one of 16 hits, which counts 16 times.
 *
 * A request counts once, by one of `hit`, `miss`, `bypass`, `joined` with the scope `process`, and `fillFailed`
 * (cache-events.ts).
 */
import type { EventEmitter } from 'node:events';
import type { CacheEventMap, CacheEvents, Regions } from '../core/ports/cache-events.js';
import type { Clock } from '../core/ports/clock.js';
import { brief } from './brief-regions.js';
import { BusiestQueries } from './busiest-queries.js';
import { LiveRequests } from './live-requests.js';
import { MINUTE_MS } from './minute-ring.js';
import type { QueryCounts } from './query-counts.js';
import { Recent } from './recent.js';
import { RegionCounts } from './region-counts.js';
import type { AuditReport, InstanceReport, MissReport, RecentWrite } from './report.js';
import { sumMinutes, sumOutcomes, sumSaved } from './sums.js';
import { WriteCounts } from './write-counts.js';
import { TOLERANCE_MS, WriteIndex } from './write-index.js';

type Event<K extends keyof CacheEventMap> = CacheEventMap[K][0];
type Epoch = InstanceReport['doubt']['epochs'][number];

const RECENT = 100;
const EPOCHS = 50;
const EXACT_PER_SECOND = 50;
const SAMPLED = 16;

export interface ObserverReport {
  readonly counts: Pick<
    InstanceReport,
    | 'atMs'
    | 'outcomes'
    | 'savedMs'
    | 'minutes'
    | 'queries'
    | 'writes'
    | 'regions'
    | 'misses'
    | 'recentWrites'
  >;
  readonly audit: Omit<AuditReport, 'share'>;
  /** The last ones that were replaced, the latest first. */
  readonly epochs: readonly Epoch[];
  readonly relayedRows: number;
  readonly lastLagMs: number | undefined;
}

export class CacheObserver {
  /** Requests, for the live view. */
  readonly live = new LiveRequests();
  readonly #queries = new BusiestQueries();
  readonly #regions = new RegionCounts();
  readonly #writes = new WriteCounts();
  readonly #index = new WriteIndex();
  readonly #misses = new Recent<MissReport>(RECENT);
  readonly #recentWrites = new Recent<RecentWrite>(RECENT);
  readonly #epochs = new Recent<Epoch>(EPOCHS);
  readonly #audit = { compared: 0, different: 0 };
  #relayedRows = 0;
  #lastLagMs: number | undefined;
  #hits = 0;
  #second = 0;
  #hitsOfSecond = 0;

  readonly #listeners: {
    readonly [K in keyof CacheEventMap]?: (...event: CacheEventMap[K]) => void;
  } = {
    hit: (event) => this.#hit(event),
    miss: (event) => this.#miss(event),
    bypass: (event) => {
      const atMs = this.#request(event.query, (counts, minute) => counts.bypass(event, minute));
      this.live.bypass(event, atMs);
    },
    joined: (event) => {
      // A `hit` of the same request follows.
      if (event.scope === 'instances') return;
      const atMs = this.#request(event.query, (counts, minute) => counts.joined(minute));
      this.live.joined(event, atMs);
    },
    fillFailed: (event) => {
      const atMs = this.#request(event.query, (counts, minute) => counts.failed(minute));
      this.live.failed(event, atMs);
    },
    invalidated: (event) => this.#invalidated(event),
    concluded: ({ writeId, durationMs }) => this.#writes.concluded(writeId, durationMs),
    epochReplaced: ({ table, cause }) => {
      // The write before it has not ended the answers.
      this.#index.forget(table);
      this.#epochs.add({ table, cause, atMs: this.clock.nowMs(), isSettled: false });
    },
    epochSettled: ({ table }) =>
      this.#epochs.change((epoch) =>
        epoch.table === table ? { ...epoch, isSettled: true } : epoch,
      ),
    audited: ({ difference }) => {
      this.#audit.compared += 1;
      // The database may choose another order at any time, without a write.
      if (difference === 'content' || difference === 'headers') this.#audit.different += 1;
    },
    relayed: ({ rows, lagMs }) => {
      this.#relayedRows += rows;
      this.#lastLagMs = lagMs;
    },
  };

  /** @param clock milliseconds since the Unix epoch. */
  constructor(
    private readonly events: CacheEvents,
    private readonly clock: Clock,
  ) {}

  start(): void {
    const events: EventEmitter = this.events;
    for (const [name, listener] of Object.entries(this.#listeners)) events.on(name, listener);
  }

  stop(): void {
    const events: EventEmitter = this.events;
    for (const [name, listener] of Object.entries(this.#listeners)) events.off(name, listener);
  }

  /** Writes of other instances, which may have ended answers of this one. */
  learn(writes: readonly RecentWrite[]): void {
    for (const write of writes) this.#index.addOther(write);
  }

  /** The misses of another instance with the writes that caused them, as far as these are known by now. */
  explainOthers(misses: readonly MissReport[]): readonly MissReport[] {
    return this.#explain(misses, TOLERANCE_MS);
  }

  report(): ObserverReport {
    const atMs = this.clock.nowMs();
    const queries = this.#queries.report(Math.floor(atMs / MINUTE_MS));
    return {
      counts: {
        atMs,
        outcomes: sumOutcomes(queries),
        savedMs: sumSaved(queries),
        minutes: sumMinutes(queries.map(({ minutes }) => ({ atMs, minutes }))),
        queries,
        writes: this.#writes.report(),
        regions: this.#regions.report(),
        misses: this.#explain(this.#misses.read(), 0),
        recentWrites: this.#recentWrites.read(),
      },
      audit: { ...this.#audit },
      epochs: this.#epochs.read(),
      relayedRows: this.#relayedRows,
      lastLagMs: this.#lastLagMs,
    };
  }

  #explain(misses: readonly MissReport[], toleranceMs: number): readonly MissReport[] {
    return misses.map((miss) => {
      const { outdated, endedBy } = miss;
      if (outdated.length === 0) return miss;
      const beginMs = beginOf(miss);
      const found =
        this.#index.find(outdated, beginMs) ?? this.#index.find(outdated, beginMs + toleranceMs);
      // The instance of the miss may have known an earlier write only: its own.
      const isNearer =
        found !== undefined &&
        (endedBy === undefined || (found.atMs > endedBy.atMs && found.atMs <= beginMs));
      return isNearer ? { ...miss, endedBy: found } : miss;
    });
  }

  #request(query: string, count: (counts: QueryCounts, minute: number) => void): number {
    const atMs = this.clock.nowMs();
    const minute = Math.floor(atMs / MINUTE_MS);
    count(this.#queries.of(query, minute), minute);
    return atMs;
  }

  #hit(event: Event<'hit'>): void {
    const atMs = this.clock.nowMs();
    const minute = Math.floor(atMs / MINUTE_MS);
    this.#queries.of(event.query, minute).hit(event, minute);
    this.#countRegions(event.regions, Math.floor(atMs / 1_000));
    this.live.hit(event, atMs);
  }

  #countRegions(regions: Regions, second: number): void {
    if (second !== this.#second) {
      this.#second = second;
      this.#hitsOfSecond = 0;
    }
    this.#hitsOfSecond += 1;
    if (this.#hitsOfSecond <= EXACT_PER_SECOND) {
      this.#regions.count(regions, 'hits', 1);
      return;
    }
    this.#hits += 1;
    if (this.#hits % SAMPLED === 0) this.#regions.count(regions, 'hits', SAMPLED);
  }

  #miss(event: Event<'miss'>): void {
    const { query, key, cause, outdated, durationMs, regions } = event;
    const atMs = this.#request(query, (counts, minute) => counts.miss(event, minute));
    this.#regions.count(regions, 'misses', 1);
    const beginMs = beginOf({ atMs, durationMs });
    const endedBy = outdated.length > 0 ? this.#index.find(outdated, beginMs) : undefined;
    this.#misses.add({ atMs, query, key, cause, outdated: brief(outdated), durationMs, endedBy });
    this.live.miss(event, atMs);
  }

  #invalidated(event: Event<'invalidated'>): void {
    const { writeId, source, origin, statements, regions } = event;
    const atMs = this.clock.nowMs();
    const write = { atMs, writeId, source, origin, statements, regions: brief(regions) };
    this.#writes.count(event, atMs);
    this.#regions.count(regions, 'writes', 1);
    // Of all regions: the answers of any may miss next.
    this.#index.addOwn(write, regions);
    this.#recentWrites.add(write);
  }
}

/** A write during the fill has not caused the miss. Rounded up: the clock may count whole milliseconds. */
function beginOf({ atMs, durationMs }: Pick<MissReport, 'atMs' | 'durationMs'>): number {
  return Math.ceil(atMs - durationMs);
}
