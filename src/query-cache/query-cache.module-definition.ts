import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { QueryCacheModuleOptions } from './query-cache.options.js';

export const {
  ConfigurableModuleClass,
  MODULE_OPTIONS_TOKEN: GIVEN_OPTIONS,
  OPTIONS_TYPE,
} = new ConfigurableModuleBuilder<QueryCacheModuleOptions>({ moduleName: 'QueryCache' })
  .setClassMethodName('forRoot')
  .setExtras({ isGlobal: true }, (definition, { isGlobal }) => ({
    ...definition,
    global: isGlobal,
  }))
  .build();

/** The options with their defaults, checked and frozen. */
export const QUERY_CACHE_OPTIONS = Symbol('tidemark:query-cache-options');
