/** Measures the marks of all instances. The store is asked, so the answer is bounded in time, in tables and in rate. */
import { systemClock, systemTimers, within, type Clock, type Timers } from '../core/ports/clock.js';
import type { VersionStore } from '../core/ports/version-store.js';
import type { CollectedMetricParts } from './collected-metric.js';
import type { MeasuredCache } from './measured-cache.js';

/** How long an answer of the store counts. */
const KEPT_MS = 10_000;
/** A scrape waits no longer for the store. */
const WAIT_MS = 500;
const MAX_TABLES = 200;

interface Marks {
  readonly count: number;
  /** Time since the oldest lease began. */
  readonly oldestMs: number;
}

export function markMetrics(caches: readonly MeasuredCache[]): readonly CollectedMetricParts[] {
  const surveys = caches.map(({ labels, read }) => ({
    labels,
    survey: new MarkSurvey(read.versions, read.options.markLeaseMs),
  }));
  const gauge = (
    name: string,
    help: string,
    valueOf: (found: Marks) => number,
  ): CollectedMetricParts => ({
    type: 'gauge',
    name: `tidemark_cache_${name}`,
    help,
    collect: async () => {
      const samples = surveys.map(async ({ labels, survey }) => {
        const found = await survey.latest();
        return found ? [{ labels, value: valueOf(found) }] : [];
      });
      return (await Promise.all(samples)).flat();
    },
  });
  return [
    gauge('marks', 'Marks of writes, of all instances: their regions are in doubt', (found) => {
      return found.count;
    }),
    gauge(
      'mark_age_seconds',
      'Age of the oldest lease of a mark; a mark whose writer still runs gets a new lease',
      (found) => found.oldestMs / 1_000,
    ),
  ];
}

/** The marks in a store, as of some seconds ago. */
export class MarkSurvey {
  #latest: Promise<Marks | undefined> | undefined;
  #askedAtMs = -Infinity;

  constructor(
    private readonly store: Pick<VersionStore, 'tables' | 'marks'>,
    private readonly leaseMs: number,
    private readonly clock: Clock = systemClock,
    private readonly timers: Timers = systemTimers,
  ) {}

  /** `undefined`: the store did not answer in time. Never rejects. */
  latest(): Promise<Marks | undefined> {
    const nowMs = this.clock.nowMs();
    if (nowMs - this.#askedAtMs >= KEPT_MS) {
      this.#askedAtMs = nowMs;
      this.#latest = this.#ask();
    }
    return this.#latest ?? Promise.resolve(undefined);
  }

  async #ask(): Promise<Marks | undefined> {
    try {
      return (await within(this.timers, WAIT_MS, this.#count()))?.value;
    } catch {
      return undefined;
    }
  }

  async #count(): Promise<Marks> {
    const tables = (await this.store.tables()).slice(0, MAX_TABLES);
    const found = await Promise.all(tables.map((table) => this.store.marks(table)));
    // A write marks several tables under one id.
    const leftMs = new Map(
      found.flat().map(({ writeId, leaseLeftMs }) => [writeId, leaseLeftMs] as const),
    );
    const oldestMs = Math.max(0, ...[...leftMs.values()].map((left) => this.leaseMs - left));
    return { count: leftMs.size, oldestMs };
  }
}
