import { Module, type DynamicModule } from '@nestjs/common';
import type { Config } from './config.js';

/** Token of the {@link Config}. */
export const CONFIG = Symbol('tidemark:config');

/** Provides the configuration to all modules under {@link CONFIG}. */
@Module({})
export class ConfigModule {
  static forRoot(config: Config): DynamicModule {
    return {
      module: ConfigModule,
      global: true,
      providers: [{ provide: CONFIG, useValue: config }],
      exports: [CONFIG],
    };
  }
}
