import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { WritePolicy } from './core/write-protocol.js';

export interface CacheInvalidationModuleOptions {
  /**
   * What becomes of a write that cannot be announced because Redis is away: `commit` (default)
   * lets it through, and what was cached before is distrusted; `refuse` rolls it back.
   */
  readonly writePolicy?: WritePolicy;
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
