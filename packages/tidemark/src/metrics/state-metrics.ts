/** Measures the state of the caches when Prometheus asks. No value but those of marks takes a command. */
import type { CollectedMetricParts, Labels } from './collected-metric.js';
import { markMetrics } from './mark-metrics.js';
import type { MeasuredCache } from './measured-cache.js';

/** The value; `undefined`: not known here. */
type ValueOf<T> = (of: T) => number | boolean | undefined;

export function stateMetrics(caches: readonly MeasuredCache[]): readonly CollectedMetricParts[] {
  const standbys = new Set<MeasuredCache>();
  for (const cache of caches) {
    cache.read.events.on('standby', ({ isStandby }) => {
      if (isStandby) standbys.add(cache);
      else standbys.delete(cache);
    });
  }
  const gauge = (name: string, help: string, valueOf: ValueOf<MeasuredCache>) =>
    gaugeOf(
      `cache_${name}`,
      help,
      caches.map((cache) => ({ labels: cache.labels, of: cache })),
      valueOf,
    );
  return [
    gauge(
      'degraded',
      'Whether the cache is degraded: it costs speed, or the auditor found answers that may be stale',
      ({ read }) => read.health.check().status === 'degraded',
    ),
    gauge(
      'database_standby',
      'Whether the database was found to be a standby, from which nothing is stored',
      (cache) => standbys.has(cache),
    ),
    gauge(
      'awaited_transactions',
      'Transactions of PostgreSQL that have to end before reads of some tables use the cache',
      ({ read }) => read.health.awaitedTransactions.size,
    ),
    gauge('l1_bytes', 'Memory of the entries in this process', ({ read }) => read.core.local.bytes),
    gauge(
      'l1_max_bytes',
      'Limit of the memory of the entries in this process',
      ({ read }) => read.options.l1Bytes,
    ),
    gauge('l1_entries', 'Entries in this process', ({ read }) => read.core.local.size),
    {
      type: 'gauge',
      name: 'tidemark_release_info',
      help: 'The release whose stored answers this instance reads',
      collect: () =>
        caches.map(({ labels, read }) => ({
          labels: { ...labels, release: read.options.release },
          value: 1,
        })),
    },
    ...markMetrics(caches),
    ...outboxMetrics(caches),
  ];
}

function outboxMetrics(caches: readonly MeasuredCache[]): readonly CollectedMetricParts[] {
  const relays = caches.flatMap(({ labels, relay }) => (relay ? [{ labels, of: relay }] : []));
  const keepers = caches.flatMap(({ labels, triggers }) =>
    triggers ? [{ labels, of: triggers }] : [],
  );
  return [
    gaugeOf('outbox_relaying', 'Whether this instance relays', relays, (relay) => {
      return relay.state === 'relaying';
    }),
    gaugeOf(
      'outbox_usable',
      'Whether there is an outbox that the role of the service may use',
      relays,
      (relay) => relay.state !== 'absent',
    ),
    gaugeOf(
      'outbox_lock_stuck',
      'Whether a session that does not relay has the lock of the relay',
      relays,
      (relay) => relay.isLockStuck,
    ),
    gaugeOf(
      'outbox_backlog_rows',
      'Rows that wait in the outbox',
      relays,
      (relay) => relay.backlog?.rows,
    ),
    gaugeOf(
      'outbox_backlog_age_seconds',
      'Age of the oldest row in the outbox',
      relays,
      (relay) => relay.backlog && relay.backlog.ageMs / 1_000,
    ),
    gaugeOf(
      'outbox_missing_triggers',
      'Tables whose triggers are missing or disabled: writes from outside the application are not seen',
      keepers,
      (keeper) => keeper.missing?.length,
    ),
  ];
}

function gaugeOf<T>(
  name: string,
  help: string,
  subjects: readonly { readonly labels: Labels; readonly of: T }[],
  valueOf: ValueOf<T>,
): CollectedMetricParts {
  return {
    type: 'gauge',
    name: `tidemark_${name}`,
    help,
    collect: () =>
      subjects.flatMap(({ labels, of }) => {
        const value = valueOf(of);
        return value === undefined ? [] : [{ labels, value: Number(value) }];
      }),
  };
}
