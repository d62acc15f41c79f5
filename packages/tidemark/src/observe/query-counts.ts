/** The counts of one query. */
import type { CacheEventMap } from '../core/ports/cache-events.js';
import { DurationHistogram } from './duration-histogram.js';
import { MinuteRing } from './minute-ring.js';
import type { Outcomes, QueryReport } from './report.js';
import { NO_OUTCOMES, requestsOf } from './sums.js';

type Event<K extends keyof CacheEventMap> = CacheEventMap[K][0];

export class QueryCounts {
  readonly #outcomes: Record<keyof Outcomes, number> = { ...NO_OUTCOMES };
  readonly #reasons = new Map<string, number>();
  readonly #hitMs = new DurationHistogram();
  readonly #fillMs = new DurationHistogram();
  readonly #minutes = new MinuteRing();
  #lastBytes = 0;
  #servedBytes = 0;

  constructor(readonly query: string) {}

  get requests(): number {
    return requestsOf(this.#outcomes);
  }

  hit({ level, durationMs, bytes }: Event<'hit'>, minute: number): void {
    if (level === 'L1') this.#outcomes.l1 += 1;
    else this.#outcomes.l2 += 1;
    this.#hitMs.observe(durationMs);
    this.#lastBytes = bytes;
    this.#servedBytes += bytes;
    this.#minutes.count(minute, true);
  }

  miss({ stored, refusal, durationMs, bytes }: Event<'miss'>, minute: number): void {
    this.#outcomes[stored ? 'stored' : 'notStored'] += 1;
    if (refusal !== undefined) this.#reason(refusal);
    this.#fillMs.observe(durationMs);
    this.#lastBytes = bytes;
    this.#minutes.count(minute, false);
  }

  bypass({ reason, detail }: Event<'bypass'>, minute: number): void {
    this.#reason(detail ?? reason);
    this.#count('bypassed', minute);
  }

  joined(minute: number): void {
    this.#count('joined', minute);
  }

  failed(minute: number): void {
    this.#count('failed', minute);
  }

  report(minute: number): QueryReport {
    const meanMs = this.#fillMs.meanMs;
    const { l1, l2 } = this.#outcomes;
    return {
      query: this.query,
      outcomes: { ...this.#outcomes },
      reasons: Object.fromEntries(this.#reasons),
      hitMs: this.#hitMs.read(),
      fillMs: this.#fillMs.read(),
      savedMs: (l1 + l2) * meanMs,
      lastBytes: this.#lastBytes,
      servedBytes: this.#servedBytes,
      minutes: this.#minutes
        .read(minute)
        .map(({ requests, hits }) => ({ requests, hits, savedMs: short(hits * meanMs) })),
    };
  }

  #count(outcome: 'bypassed' | 'joined' | 'failed', minute: number): void {
    this.#outcomes[outcome] += 1;
    this.#minutes.count(minute, false);
  }

  /** Reasons are a closed set of the library's own words. */
  #reason(reason: string): void {
    this.#reasons.set(reason, (this.#reasons.get(reason) ?? 0) + 1);
  }
}

/** Three decimals are enough: reports are sent every few seconds. */
function short(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
