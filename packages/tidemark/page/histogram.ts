import { BUCKETS_MS, type Histogram } from '../src/observe/report.js';

export interface Quantile {
  /** In milliseconds. */
  readonly ms: number;
  /** It is in the last bucket, which has no upper bound: `ms` is the lower one. */
  readonly isBeyond: boolean;
}

/**
 * The duration that the share `q` of all does not exceed, interpolated in its bucket; `undefined` if nothing was counted.
 */
export function quantile(histogram: Histogram, q: number): Quantile | undefined {
  const total = histogram.reduce((sum, part) => sum + part, 0);
  if (total === 0) return undefined;
  const wanted = total * q;
  let before = 0;
  for (const [bucket, part] of histogram.entries()) {
    if (part > 0 && before + part >= wanted) {
      const lower = BUCKETS_MS[bucket - 1] ?? 0;
      const upper = BUCKETS_MS[bucket];
      if (upper === undefined) return { ms: lower, isBeyond: true };
      return { ms: lower + ((upper - lower) * (wanted - before)) / part, isBeyond: false };
    }
    before += part;
  }
  return undefined;
}
