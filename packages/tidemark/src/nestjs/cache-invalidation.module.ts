import { Module, type DynamicModule } from '@nestjs/common';
import {
  ConfigurableModuleClass,
  type OPTIONS_TYPE,
} from './cache-invalidation.module-definition.js';

/** Follows every write of the data source. Requires its `QueryCacheModule`, whose versions it replaces. */
@Module({})
export class CacheInvalidationModule extends ConfigurableModuleClass {
  static override forRoot(options: typeof OPTIONS_TYPE = {}): DynamicModule {
    return super.forRoot(options);
  }
}
