import { BUCKETS_MS, type Histogram } from './report.js';

/** Counts durations by the buckets of `BUCKETS_MS`. */
export class DurationHistogram {
  #sumMs = 0;
  #count = 0;
  readonly #buckets = new Float64Array(BUCKETS_MS.length + 1);

  observe(durationMs: number): void {
    let bucket = 0;
    while (bucket < BUCKETS_MS.length && durationMs > (BUCKETS_MS[bucket] ?? 0)) bucket += 1;
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1;
    this.#sumMs += durationMs;
    this.#count += 1;
  }

  /** 0 before the first duration. */
  get meanMs(): number {
    return this.#count === 0 ? 0 : this.#sumMs / this.#count;
  }

  read(): Histogram {
    return Array.from(this.#buckets);
  }
}
