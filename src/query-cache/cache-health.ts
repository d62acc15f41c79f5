import type { CacheStores } from './stores/cache-stores.js';

export type CacheHealthReport =
  { readonly status: 'up' } | { readonly status: 'degraded'; readonly detail: string };

/** Whether the cache is at its best. A degraded cache costs speed, never truth. */
export class CacheHealth {
  constructor(private readonly stores: CacheStores) {}

  check(): CacheHealthReport {
    const detail = this.stores.degradation();
    return detail === undefined ? { status: 'up' } : { status: 'degraded', detail };
  }
}
