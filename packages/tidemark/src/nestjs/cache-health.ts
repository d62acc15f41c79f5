import { describeAwaited } from './awaited-transactions.js';
import type { Writers } from '../core/ports/writer-activity.js';
import type { ReadCore } from './read-core.js';

/** The state of a cache; `detail` names the trouble and its remedy, without addresses and secrets. */
export type CacheHealthReport =
  { readonly status: 'up' } | { readonly status: 'degraded'; readonly detail: string };

/**
 * Whether the cache is degraded. It costs speed, not correctness, unless the auditor names answers that differ: they may
 * be stale.
 */
export class CacheHealth {
  /** @param degradation of stores, database and write side; `undefined`: there is none. */
  constructor(
    private readonly core: ReadCore,
    private readonly degradation: () => string | undefined,
  ) {}

  /** The PostgreSQL transactions that make reads bypass the cache, by the process id of their backend. */
  get awaitedTransactions(): Writers {
    return this.core.settlement.epochs.awaited;
  }

  /** Asks no server: the state is known already. */
  check(): CacheHealthReport {
    const detail = this.degradation() ?? describeAwaited(this.awaitedTransactions);
    return detail === undefined ? { status: 'up' } : { status: 'degraded', detail };
  }
}
