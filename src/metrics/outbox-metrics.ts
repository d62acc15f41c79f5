import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { OutboxRelay, CacheEvents } from '@tidemark/nestjs';

/** Measures how writes from outside the service reach the cache. */
export function measureOutbox(relay: OutboxRelay, events: CacheEvents, registry: Registry): void {
  const registers = [registry];
  const rows = new Counter({
    name: 'tidemark_outbox_relayed_rows_total',
    help: 'Rows of the outbox that were relayed to the cache',
    registers,
  });
  const lagSeconds = new Histogram({
    name: 'tidemark_outbox_lag_seconds',
    help: 'How long the oldest row of a batch had waited when it was relayed',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5, 30, 300],
    registers,
  });
  const changes = new Counter({
    name: 'tidemark_outbox_recording_changes_total',
    help: 'Changes of triggers, outbox or partitions after which everything counted as written',
    registers,
  });
  events.on('recordingChanged', () => changes.inc());
  events.on('relayed', (event) => {
    rows.inc(event.rows);
    lagSeconds.observe(event.lagMs / 1000);
  });
  const gauges: readonly [name: string, help: string, value: () => number | boolean][] = [
    ['relaying', 'Whether this instance relays', () => relay.state === 'relaying'],
    [
      'usable',
      'Whether there is an outbox that the role of the service may use',
      () => relay.state !== 'absent',
    ],
    [
      'lock_stuck',
      'Whether a session that does not relay has the lock of the relay',
      () => relay.isLockStuck,
    ],
    ['backlog_rows', 'Rows that wait in the outbox', () => relay.backlog?.rows ?? 0],
    [
      'backlog_age_seconds',
      'Age of the oldest row in the outbox',
      () => (relay.backlog?.ageMs ?? 0) / 1000,
    ],
  ];
  for (const [name, help, value] of gauges) {
    const gauge: Gauge = new Gauge({
      name: `tidemark_outbox_${name}`,
      help,
      registers,
      collect: () => gauge.set(Number(value())),
    });
  }
}
