import { describe, expect, it } from 'vitest';
import { BUCKETS_MS } from '../src/observe/report.js';
import { quantile } from './histogram.js';

/** Counts by upper bound; `Infinity` is the last bucket. */
function histogramOf(counts: Readonly<Record<number, number>>): number[] {
  return [...BUCKETS_MS, Infinity].map((bound) => counts[bound] ?? 0);
}

describe('a quantile of a histogram', () => {
  it('of no duration is undefined', () => {
    expect(quantile(histogramOf({}), 0.5)).toBeUndefined();
  });

  it('is interpolated in its bucket', () => {
    expect(quantile(histogramOf({ 10: 100 }), 0.5)).toEqual({ ms: 7.5, isBeyond: false });
    expect(quantile(histogramOf({ 0.1: 10 }), 1)).toEqual({ ms: 0.1, isBeyond: false });
  });

  it('skips empty buckets and counts the lower ones', () => {
    const histogram = histogramOf({ 1: 90, 100: 10 });
    expect(quantile(histogram, 0.9)).toEqual({ ms: 1, isBeyond: false });
    expect(quantile(histogram, 0.95)).toEqual({ ms: 75, isBeyond: false });
  });

  it('in the last bucket is known from below only', () => {
    expect(quantile(histogramOf({ [Infinity]: 3 }), 0.5)).toEqual({ ms: 10_000, isBeyond: true });
  });
});
