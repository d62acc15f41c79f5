import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { WritePolicy } from '../core/write-protocol.js';
import type { TriggersOption } from '../typeorm/triggers/trigger-keeper.js';

export interface CacheInvalidationModuleOptions {
  /**
   * The policy for a write that cannot be published because Redis is away: `commit` (default)
   * lets it through, and earlier answers are distrusted; `refuse` rolls it back.
   */
  readonly writePolicy?: WritePolicy;
  /**
   * The triggers by which writes from outside the application are seen: `install` (default) puts them on the
   * tables of entities at start, and on those that appear later; `check` only says in the log and in the
   * health which tables lack them; `off` does neither.
   */
  readonly triggers?: TriggersOption;
  /**
   * How long the transaction that a single write is given may stand idle before its COMMIT, in milliseconds: longer
   * than Redis may take for a few commands. Then the server rolls it back and lets go of its locks, so that others
   * need not wait for a process that was stopped; the write rejects. Transactions of the application keep their
   * own limit. Default: 5 seconds, or four times `redis.timeoutMs` where that is longer; 0: no limit of its own.
   */
  readonly implicitTransactionIdleMs?: number;
}

export const {
  ConfigurableModuleClass,
  MODULE_OPTIONS_TOKEN: CACHE_INVALIDATION_OPTIONS,
  OPTIONS_TYPE,
} = new ConfigurableModuleBuilder<CacheInvalidationModuleOptions>({
  moduleName: 'CacheInvalidation',
})
  .setClassMethodName('forRoot')
  .setExtras({ isGlobal: true }, (definition, { isGlobal }) => ({
    ...definition,
    global: isGlobal,
  }))
  .build();
