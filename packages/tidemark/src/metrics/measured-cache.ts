import type { FoundCache } from '../nestjs/all-caches.js';
import type { Labels } from './collected-metric.js';

export interface MeasuredCache extends FoundCache {
  /** `data_source`, if there are several. */
  readonly labels: Labels;
}

export function measured(caches: readonly FoundCache[]): readonly MeasuredCache[] {
  return caches.map((cache) => ({
    ...cache,
    labels: caches.length > 1 ? { data_source: cache.read.name } : {},
  }));
}
