import { describeAwaited } from './awaited-transactions.js';
import type { WriteFollowing } from './core/write-following.js';
import type { Writers } from './core/writer-activity.js';
import type { ReadCore } from './read-core.js';
import type { StandbyWatch } from './sql/standby-watch.js';
import type { CacheStores } from './stores/cache-stores.js';

export type CacheHealthReport =
  { readonly status: 'up' } | { readonly status: 'degraded'; readonly detail: string };

export interface CacheHealthParts {
  readonly stores: CacheStores;
  readonly following: WriteFollowing;
  readonly core: ReadCore;
  readonly standby: StandbyWatch;
}

/** Whether the cache is at its best. A degraded cache costs speed, never truth. */
export class CacheHealth {
  constructor(private readonly parts: CacheHealthParts) {}

  /** The transactions of PostgreSQL for which reads go past the cache, by the process id of their backend. */
  get awaitedTransactions(): Writers {
    return this.parts.core.settlement.epochs.awaited;
  }

  check(): CacheHealthReport {
    const { stores, following, standby } = this.parts;
    const detail =
      stores.degradation() ??
      standby.degradation ??
      following.degradation ??
      describeAwaited(this.awaitedTransactions);
    return detail === undefined ? { status: 'up' } : { status: 'degraded', detail };
  }
}
