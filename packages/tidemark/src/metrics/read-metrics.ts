/** Counts reads by query. */
import type { BypassReason, CacheEvents } from '../core/ports/cache-events.js';
import { systemClock } from '../core/ports/clock.js';
import { BUCKETS_MS } from '../observe/report.js';
import type { CollectedMetricParts, Labels, Sample } from './collected-metric.js';
import { Durations } from './durations.js';
import type { MeasuredCache } from './measured-cache.js';
import { QueryCounts, type QueryCount } from './query-counts.js';

/** The reads of one cache. Runs with each hit: it adds to plain numbers and makes nothing. */
class ReadCounts {
  readonly queries = new QueryCounts(systemClock);
  readonly hitsL1 = new Durations(BUCKETS_MS);
  readonly hitsL2 = new Durations(BUCKETS_MS);
  readonly fills = new Durations(BUCKETS_MS);
  /** Answers that must not be stored, by reason: a closed set. */
  readonly refusals = new Map<string, number>();

  constructor(
    readonly labels: Labels,
    events: CacheEvents,
  ) {
    events.on('hit', ({ query, level, durationMs, bytes }) => {
      const count = this.queries.of(query);
      const isL1 = level === 'L1';
      if (isL1) count.l1++;
      else count.l2++;
      (isL1 ? this.hitsL1 : this.hitsL2).add(durationMs);
      count.servedBytes += bytes;
      const { fills } = count;
      if (fills > 0) count.savedMs += count.fillMs / fills;
    });
    events.on('miss', ({ query, stored, refusal, durationMs }) => {
      const count = this.queries.of(query);
      if (stored) count.stored++;
      else count.notStored++;
      count.fillMs += durationMs;
      this.fills.add(durationMs);
      if (refusal !== undefined) addOne(this.refusals, refusal);
    });
    events.on('bypass', ({ query, reason, detail }) => {
      addOne<BypassReason>(this.queries.of(query).bypasses, reason);
      if (detail !== undefined) addOne(this.refusals, detail);
    });
  }
}

export function readMetrics(caches: readonly MeasuredCache[]): readonly CollectedMetricParts[] {
  const counts = caches.map(({ labels, read }) => new ReadCounts(labels, read.events));
  const counter = (
    name: string,
    help: string,
    samplesOf: (count: QueryCount, labels: Labels) => Sample[],
  ): CollectedMetricParts => ({
    type: 'counter',
    name: `tidemark_cache_${name}`,
    help,
    collect: () =>
      counts.flatMap(({ labels, queries }) =>
        queries
          .entries()
          .flatMap(([query, count]) => samplesOf(count, { ...labels, query }))
          .filter(({ value }) => value > 0),
      ),
  });
  const seconds = (
    name: string,
    help: string,
    samplesOf: (of: ReadCounts) => Sample[],
  ): CollectedMetricParts => ({
    type: 'histogram',
    name: `tidemark_cache_${name}_duration_seconds`,
    help,
    collect: () => counts.flatMap(samplesOf),
  });
  return [
    counter('hits_total', 'Answers served from the cache', ({ l1, l2 }, labels) => [
      { labels: { ...labels, level: 'L1' }, value: l1 },
      { labels: { ...labels, level: 'L2' }, value: l2 },
    ]),
    counter(
      'misses_total',
      'Answers taken from the database and offered to the cache',
      ({ stored, notStored }, labels) => [
        { labels: { ...labels, stored: 'true' }, value: stored },
        { labels: { ...labels, stored: 'false' }, value: notStored },
      ],
    ),
    counter('bypasses_total', 'Answers taken past the cache', ({ bypasses }, labels) =>
      [...bypasses].map(([reason, value]) => ({ labels: { ...labels, reason }, value })),
    ),
    counter(
      'fill_seconds_total',
      'Time of fills, by query: over misses, the mean duration of a fill',
      ({ fillMs }, labels) => [{ labels, value: fillMs / 1_000 }],
    ),
    counter(
      'saved_seconds_total',
      'Database time that hits have saved: each the mean duration of a fill of its query',
      ({ savedMs }, labels) => [{ labels, value: savedMs / 1_000 }],
    ),
    counter(
      'served_bytes_total',
      'Bytes of bodies served from the cache',
      ({ servedBytes }, labels) => [{ labels, value: servedBytes }],
    ),
    seconds('hit', 'Time from a read to its stored answer', ({ labels, hitsL1, hitsL2 }) => [
      ...hitsL1.samples({ ...labels, level: 'L1' }),
      ...hitsL2.samples({ ...labels, level: 'L2' }),
    ]),
    seconds('fill', 'How long the database took for an answer', ({ labels, fills }) =>
      fills.samples(labels),
    ),
    {
      type: 'counter',
      name: 'tidemark_cache_uncacheable_total',
      help: 'Answers that must not be stored, by the reason that Cache-Status gives',
      collect: () =>
        counts.flatMap(({ labels, refusals }) =>
          [...refusals].map(([reason, value]) => ({ labels: { ...labels, reason }, value })),
        ),
    },
  ];
}

function addOne<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
