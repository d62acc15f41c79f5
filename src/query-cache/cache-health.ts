import type { Writers } from './core/awaited-transactions.js';
import type { Settlement } from './core/settlement.js';
import type { WriteFollowing } from './core/write-following.js';
import type { StandbyWatch } from './sql/standby-watch.js';
import type { CacheStores } from './stores/cache-stores.js';

export type CacheHealthReport =
  { readonly status: 'up' } | { readonly status: 'degraded'; readonly detail: string };

/** Whether the cache is at its best. A degraded cache costs speed, never truth. */
export class CacheHealth {
  constructor(
    private readonly stores: CacheStores,
    private readonly following: WriteFollowing,
    private readonly settlement: Settlement,
    private readonly standby: StandbyWatch,
  ) {}

  /** The transactions of PostgreSQL for which reads go past the cache, by the process id of their backend. */
  get awaitedTransactions(): Writers {
    return this.settlement.awaited.current;
  }

  check(): CacheHealthReport {
    const detail =
      this.stores.degradation() ??
      this.standby.degradation ??
      this.following.degradation ??
      this.settlement.awaited.degradation;
    return detail === undefined ? { status: 'up' } : { status: 'degraded', detail };
  }
}
