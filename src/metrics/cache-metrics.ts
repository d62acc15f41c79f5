import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { CacheEvents, CacheHealth } from '../query-cache/index.js';

/** Counts what the cache tells of itself. Labels come from closed sets. */
export function countCacheEvents(events: CacheEvents, registry: Registry): void {
  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]): Counter<L> =>
    new Counter({ name: `tidemark_cache_${name}`, help, labelNames, registers: [registry] });

  const hits = counter('hits_total', 'Answers served from the cache', 'level');
  const misses = counter(
    'misses_total',
    'Answers taken from the database and offered to the cache',
    'stored',
  );
  const bypasses = counter('bypasses_total', 'Answers taken past the cache', 'reason');
  const refusals = counter(
    'uncacheable_total',
    'Answers that must not be stored, by the reason told in Cache-Status',
    'reason',
  );
  const joined = counter('joined_fills_total', 'Requests that shared a fill under way', 'scope');
  const planDifferences = counter(
    'plan_differences_total',
    'Queries whose builder reads more than its parameters: a tenant leak',
  );
  const fillFailures = counter('fill_failures_total', 'Fills whose query failed');
  const storeFailures = counter(
    'store_failures_total',
    'Operations on the shared store that failed',
  );
  const fullStore = counter(
    'store_full_total',
    'Commands that the shared store refused because its memory is full, heartbeats included',
  );
  const dataLosses = counter(
    'data_lost_total',
    'Times that Redis had lost data that it had confirmed, or held older data again, without a restart',
  );
  const refusedEntries = counter(
    'refused_entries_total',
    'Values under the keys of entries that are not of this service, by form or by seal',
    'reason',
  );
  const epochs = counter('epochs_replaced_total', 'Epochs replaced, of single tables', 'cause');
  const epochsSettled = counter('epochs_settled_total', 'Epochs found to be safe again');
  const marksSettled = counter('marks_settled_total', 'Marks removed after their writer had ended');
  const marksRenewed = counter('marks_renewed_total', 'Marks kept since their writer still ran');
  const writes = counter('invalidations_total', 'Writes that outdated answers');
  const versions = counter('invalidated_versions_total', 'Versions replaced by writes');
  const unannounced = counter('unannounced_writes_total', 'Writes let through unannounced');
  const refused = counter('refused_writes_total', 'Writes refused since the store was away');
  const standby = new Gauge({
    name: 'tidemark_cache_database_standby',
    help: 'Whether the database was found to be a standby, from which nothing is stored',
    registers: [registry],
  });
  const fillSeconds = new Histogram({
    name: 'tidemark_cache_fill_duration_seconds',
    help: 'How long the database took for an answer',
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
    registers: [registry],
  });

  events.on('hit', ({ level }) => hits.inc({ level }));
  events.on('miss', ({ stored, refusal, durationMs }) => {
    misses.inc({ stored: String(stored) });
    if (refusal !== undefined) refusals.inc({ reason: refusal });
    fillSeconds.observe(durationMs / 1000);
  });
  events.on('bypass', ({ reason, detail }) => {
    bypasses.inc({ reason });
    if (detail !== undefined) refusals.inc({ reason: detail });
  });
  events.on('joined', ({ scope }) => joined.inc({ scope }));
  events.on('planDiffers', () => planDifferences.inc());
  events.on('fillFailed', () => fillFailures.inc());
  events.on('storeFailed', () => storeFailures.inc());
  events.on('storeFull', () => fullStore.inc());
  events.on('dataLost', () => dataLosses.inc());
  events.on('entryRefused', ({ reason }) => refusedEntries.inc({ reason }));
  events.on('epochReplaced', ({ cause }) => epochs.inc({ cause }));
  events.on('epochSettled', () => epochsSettled.inc());
  events.on('markSettled', () => marksSettled.inc());
  events.on('markRenewed', () => marksRenewed.inc());
  events.on('invalidated', (event) => {
    writes.inc();
    versions.inc(event.versions);
  });
  events.on('standby', ({ isStandby }) => standby.set(isStandby ? 1 : 0));
  events.on('unannounced', () => unannounced.inc());
  events.on('writeRefused', () => refused.inc());
}

/** Measures what holds the cache up at present. */
export function measureCache(health: CacheHealth, registry: Registry): void {
  registry.registerMetric(
    new Gauge({
      name: 'tidemark_cache_awaited_transactions',
      help: 'Transactions of PostgreSQL that have to end before reads of some tables use the cache',
      registers: [],
      collect() {
        this.set(health.awaitedTransactions.size);
      },
    }),
  );
}

/** One sample of 1, whose label names the release that is part of each key of the cache. */
export function nameRelease(release: string, registry: Registry): void {
  new Gauge({
    name: 'tidemark_release_info',
    help: 'The release whose stored answers this instance reads',
    labelNames: ['release'],
    registers: [registry],
  }).set({ release }, 1);
}
