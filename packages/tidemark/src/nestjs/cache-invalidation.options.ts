import type { WritePolicy } from '../core/write-protocol.js';
import type { TriggersOption } from '../typeorm/triggers/trigger-keeper.js';

/** The options of `CacheInvalidationModule.forRoot()`. */
export interface CacheInvalidationModuleOptions {
  /**
   * The policy for a write that cannot be published because Redis is unavailable: `commit` (default) commits it, and
   * earlier answers are distrusted; `refuse` rolls it back.
   */
  readonly writePolicy?: WritePolicy;
  /**
   * The policy for the triggers that report writes from outside the application: `install` (default) installs them on
   * the tables of entities at start, and on tables that appear later; `check` only reports in log and health which
   * tables lack them; `off` does neither.
   */
  readonly triggers?: TriggersOption;
  /**
   * Idle limit of an implicit transaction before its COMMIT, in milliseconds: longer than Redis may need for a few
   * commands. At the limit the server rolls it back and releases its locks, so that other writers need not wait for a
   * stopped process; the write rejects. Transactions of the application keep their limit. Default: 5 seconds, or four
   * times `redis.timeoutMs` if that is longer; 0: no separate limit.
   */
  readonly implicitTransactionIdleMs?: number;
}
