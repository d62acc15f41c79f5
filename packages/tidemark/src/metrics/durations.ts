import type { Labels, Sample } from './collected-metric.js';

/** Counts of durations by bucket, as a histogram of Prometheus has them. */
export class Durations {
  readonly #counts: number[];
  #sumMs = 0;

  /** @param boundsMs upper bounds of the buckets, ascending, in milliseconds. */
  constructor(private readonly boundsMs: readonly number[]) {
    this.#counts = Array.from({ length: boundsMs.length + 1 }, () => 0);
  }

  add(durationMs: number): void {
    let bucket = 0;
    while (durationMs > (this.boundsMs[bucket] ?? Infinity)) bucket++;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#sumMs += durationMs;
  }

  /** In seconds. */
  samples(labels: Labels): Sample[] {
    let count = 0;
    const buckets = this.#counts.map((inBucket, index) => {
      count += inBucket;
      const boundMs = this.boundsMs[index];
      const le = boundMs === undefined ? '+Inf' : boundMs / 1_000;
      return { labels: { ...labels, le }, value: count, suffix: '_bucket' };
    });
    return [
      ...buckets,
      { labels, value: this.#sumMs / 1_000, suffix: '_sum' },
      { labels, value: count, suffix: '_count' },
    ];
  }
}
