import type { EventEmitter } from 'node:events';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { CacheEventMap, CacheEvents, CacheHealth } from '@tidemark/nestjs';

/** An event, its counter, and the event field that is the counter's label, with a closed set of values. */
type Counted = {
  [E in keyof CacheEventMap]: readonly [
    event: E,
    name: string,
    help: string,
    label?: CacheEventMap[E] extends [infer Event] ? keyof Event & string : never,
  ];
}[keyof CacheEventMap];

const COUNTERS: readonly Counted[] = [
  ['hit', 'hits_total', 'Answers served from the cache', 'level'],
  ['miss', 'misses_total', 'Answers taken from the database and offered to the cache', 'stored'],
  ['bypass', 'bypasses_total', 'Answers taken past the cache', 'reason'],
  ['joined', 'joined_fills_total', 'Requests that shared a fill under way', 'scope'],
  [
    'planDiffers',
    'plan_differences_total',
    'Queries whose builder reads more than its parameters: a tenant leak',
  ],
  [
    'shadowCompared',
    'shadow_comparisons_total',
    'Stored answers that CACHE_MODE=shadow has compared with the database, by how they differ',
    'difference',
  ],
  ['fillFailed', 'fill_failures_total', 'Fills whose query failed'],
  ['storeFailed', 'store_failures_total', 'Operations on the shared store that failed'],
  [
    'storeFull',
    'store_full_total',
    'Commands that the shared store refused because its memory is full, heartbeats included',
  ],
  [
    'dataLost',
    'data_lost_total',
    'Times that Redis had lost data that it had confirmed, or held older data again, without a restart',
  ],
  [
    'entryRefused',
    'refused_entries_total',
    'Values under the keys of entries that are not of this service, by form or by seal',
    'reason',
  ],
  ['epochReplaced', 'epochs_replaced_total', 'Epochs replaced, of single tables', 'cause'],
  ['epochSettled', 'epochs_settled_total', 'Epochs found to be safe again'],
  ['markSettled', 'marks_settled_total', 'Marks removed after their writer had ended'],
  ['markRenewed', 'marks_renewed_total', 'Marks kept since their writer still ran'],
  ['invalidated', 'invalidations_total', 'Writes that outdated answers'],
  ['unpublished', 'unpublished_writes_total', 'Writes let through unpublished'],
  ['writeRefused', 'refused_writes_total', 'Writes refused since the store was away'],
];

/** Counts the events of the cache. */
export function countCacheEvents(events: CacheEvents, registry: Registry): void {
  const registers = [registry];
  const counter = (name: string, help: string, labelNames: readonly string[] = []): Counter =>
    new Counter({ name: `tidemark_cache_${name}`, help, labelNames, registers });

  for (const [event, name, help, label] of COUNTERS) {
    const metric = counter(name, help, label === undefined ? [] : [label]);
    (events as EventEmitter).on(event, (fields: Readonly<Record<string, unknown>>) =>
      metric.inc(label === undefined ? {} : { [label]: String(fields[label]) }),
    );
  }
  const refusals = counter(
    'uncacheable_total',
    'Answers that must not be stored, by the reason that Cache-Status gives',
    ['reason'],
  );
  const fillSeconds = new Histogram({
    name: 'tidemark_cache_fill_duration_seconds',
    help: 'How long the database took for an answer',
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
    registers,
  });
  events.on('miss', ({ refusal, durationMs }) => {
    if (refusal !== undefined) refusals.inc({ reason: refusal });
    fillSeconds.observe(durationMs / 1000);
  });
  events.on('bypass', ({ detail }) => {
    if (detail !== undefined) refusals.inc({ reason: detail });
  });
  const versions = counter('invalidated_versions_total', 'Versions replaced by writes');
  events.on('invalidated', (event) => {
    const count = event.regions.reduce((sum, { names }) => sum + names.length, 0);
    versions.inc(count);
  });
  const standby = new Gauge({
    name: 'tidemark_cache_database_standby',
    help: 'Whether the database was found to be a standby, from which nothing is stored',
    registers,
  });
  events.on('standby', ({ isStandby }) => standby.set(isStandby ? 1 : 0));
}

/** Measures the transactions that make reads bypass the cache at present, and names the release in each key. */
export function measureCache(health: CacheHealth, release: string, registry: Registry): void {
  const registers = [registry];
  const awaited: Gauge = new Gauge({
    name: 'tidemark_cache_awaited_transactions',
    help: 'Transactions of PostgreSQL that have to end before reads of some tables use the cache',
    registers,
    collect: () => awaited.set(health.awaitedTransactions.size),
  });
  new Gauge({
    name: 'tidemark_release_info',
    help: 'The release whose stored answers this instance reads',
    labelNames: ['release'],
    registers,
  }).set({ release }, 1);
}
