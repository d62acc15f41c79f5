/** Counts the events that are not reads. */
import type { EventEmitter } from 'node:events';
import type {
  CacheEventMap,
  EpochCause,
  ShadowDifference,
  WriteSource,
} from '../core/ports/cache-events.js';
import { BUCKETS_MS } from '../observe/report.js';
import type { CollectedMetricParts } from './collected-metric.js';
import { Durations } from './durations.js';
import type { MeasuredCache } from './measured-cache.js';

/** Upper bounds for the time that a row waits in the outbox, in milliseconds. */
const LAG_BUCKETS_MS = [1, 2.5, 5, 10, 25, 50, 100, 500, 1_000, 5_000, 30_000, 300_000];

const DIFFERENCES = [
  'none',
  'content',
  'order',
  'headers',
] as const satisfies readonly ShadowDifference[];
const SOURCES = ['service', 'outside', 'invalidate'] as const satisfies readonly WriteSource[];
const CAUSES = ['missing', 'lost', 'other-node', 'outage'] as const satisfies readonly EpochCause[];

/**
 * An event and its counter. A label is a field of the event; its values are listed, so that each series exists from the
 * start: Prometheus sees no increase in a series that begins with its first event.
 */
type Counted = {
  [E in keyof CacheEventMap]: {
    readonly event: E;
    readonly name: string;
    readonly help: string;
    readonly label?: CacheEventMap[E] extends [infer Event] ? keyof Event & string : never;
    readonly values?: readonly string[];
  };
}[keyof CacheEventMap];

const COUNTERS: readonly Counted[] = [
  {
    event: 'joined',
    name: 'cache_joined_fills_total',
    help: 'Requests that shared a fill under way',
    label: 'scope',
    values: ['process', 'instances'],
  },
  {
    event: 'planDiffers',
    name: 'cache_plan_differences_total',
    help: 'Queries whose builder reads more than its parameters: a tenant leak',
  },
  {
    event: 'shadowCompared',
    name: 'cache_shadow_comparisons_total',
    help: 'Stored answers that shadow mode has compared with the database, by how they differ',
    label: 'difference',
    values: DIFFERENCES,
  },
  {
    event: 'audited',
    name: 'cache_audits_total',
    help: 'Hits that the auditor has compared with the database, by how they differ',
    label: 'difference',
    values: DIFFERENCES,
  },
  { event: 'fillFailed', name: 'cache_fill_failures_total', help: 'Fills whose query failed' },
  {
    event: 'storeFailed',
    name: 'cache_store_failures_total',
    help: 'Operations on the shared store that failed',
  },
  {
    event: 'storeFull',
    name: 'cache_store_full_total',
    help: 'Commands that the shared store refused because its memory is full, heartbeats included',
  },
  {
    event: 'dataLost',
    name: 'cache_data_lost_total',
    help: 'Times that Redis had lost data that it had confirmed, or held older data again, without a restart',
  },
  {
    event: 'entryRefused',
    name: 'cache_refused_entries_total',
    help: 'Values under the keys of entries that are not of this service, by form or by seal',
    label: 'reason',
    values: ['form', 'seal'],
  },
  {
    event: 'epochReplaced',
    name: 'cache_epochs_replaced_total',
    help: 'Epochs replaced, of single tables',
    label: 'cause',
    values: CAUSES,
  },
  {
    event: 'epochSettled',
    name: 'cache_epochs_settled_total',
    help: 'Epochs found to be safe again',
  },
  {
    event: 'markSettled',
    name: 'cache_marks_settled_total',
    help: 'Marks removed after their writer had ended',
  },
  {
    event: 'markRenewed',
    name: 'cache_marks_renewed_total',
    help: 'Marks kept since their writer still ran',
  },
  {
    event: 'invalidated',
    name: 'cache_invalidations_total',
    help: 'Writes that ended answers',
    label: 'source',
    values: SOURCES,
  },
  {
    event: 'concluded',
    name: 'cache_concluded_writes_total',
    help: 'Own writes whose transactions have ended, by outcome',
    label: 'outcome',
    values: ['committed', 'rolled-back', 'unknown'],
  },
  {
    event: 'unpublished',
    name: 'cache_unpublished_writes_total',
    help: 'Writes let through unpublished',
  },
  {
    event: 'writeRefused',
    name: 'cache_refused_writes_total',
    help: 'Writes refused since the store was away',
  },
  {
    event: 'recordingChanged',
    name: 'outbox_recording_changes_total',
    help: 'Changes of triggers, outbox or partitions after which everything counted as written',
  },
];

export function eventMetrics(caches: readonly MeasuredCache[]): readonly CollectedMetricParts[] {
  return [
    ...COUNTERS.map((counted) => counterOf(counted, caches)),
    sumOf(caches, 'cache_invalidated_versions_total', 'Versions replaced by writes', (read, add) =>
      read.events.on('invalidated', ({ regions }) =>
        add(regions.reduce((sum, { names }) => sum + names.length, 0)),
      ),
    ),
    sumOf(
      caches,
      'cache_ended_local_entries_total',
      'Entries in the memory of this process that writes have ended',
      (read, add) => read.events.on('invalidated', ({ localEntries }) => add(localEntries)),
    ),
    sumOf(
      caches,
      'outbox_relayed_rows_total',
      'Rows of the outbox that were relayed to the cache',
      (read, add) => read.events.on('relayed', ({ rows }) => add(rows)),
    ),
    durationsOf(
      caches,
      'cache_doubt_duration_seconds',
      'Time from the publish of an own write to the end of its transaction: its regions are read past the cache',
      BUCKETS_MS,
      (read, add) => read.events.on('concluded', ({ durationMs }) => add(durationMs)),
    ),
    durationsOf(
      caches,
      'outbox_lag_seconds',
      'How long the oldest row of a batch had waited when it was relayed',
      LAG_BUCKETS_MS,
      (read, add) => read.events.on('relayed', ({ lagMs }) => add(lagMs)),
    ),
  ];
}

function counterOf(
  { event, name, help, label, values = [] }: Counted,
  caches: readonly MeasuredCache[],
): CollectedMetricParts {
  const counts = caches.map(({ labels, read }) => {
    const byValue = new Map<string, number>((label ? values : ['']).map((value) => [value, 0]));
    (read.events as EventEmitter).on(event, (fields?: Readonly<Record<string, unknown>>) => {
      const value = label ? String(fields?.[label]) : '';
      byValue.set(value, (byValue.get(value) ?? 0) + 1);
    });
    return { labels, byValue };
  });
  return {
    type: 'counter',
    name: `tidemark_${name}`,
    help,
    collect: () =>
      counts.flatMap(({ labels, byValue }) =>
        [...byValue].map(([value, count]) => ({
          labels: label ? { ...labels, [label]: value } : labels,
          value: count,
        })),
      ),
  };
}

type Listen = (read: MeasuredCache['read'], add: (amount: number) => void) => unknown;

function sumOf(
  caches: readonly MeasuredCache[],
  name: string,
  help: string,
  listen: Listen,
): CollectedMetricParts {
  const sums = caches.map(({ labels, read }) => {
    const sum = { labels, value: 0 };
    listen(read, (amount) => (sum.value += amount));
    return sum;
  });
  return { type: 'counter', name: `tidemark_${name}`, help, collect: () => sums };
}

function durationsOf(
  caches: readonly MeasuredCache[],
  name: string,
  help: string,
  boundsMs: readonly number[],
  listen: Listen,
): CollectedMetricParts {
  const histograms = caches.map(({ labels, read }) => {
    const durations = new Durations(boundsMs);
    listen(read, (durationMs) => durations.add(durationMs));
    return { labels, durations };
  });
  return {
    type: 'histogram',
    name: `tidemark_${name}`,
    help,
    collect: () => histograms.flatMap(({ labels, durations }) => durations.samples(labels)),
  };
}
