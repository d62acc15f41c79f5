import { Module, type DynamicModule } from '@nestjs/common';
import {
  ConfigurableModuleClass,
  type OPTIONS_TYPE,
} from './cache-invalidation.module-definition.js';
import { OutboxRelay } from '../postgres/capture/outbox-relay.js';
import { TriggerKeeper } from '../typeorm/triggers/trigger-keeper.js';
import { WriteSide } from './write-side.js';

const STARTED = Symbol('the write side, started');

/** Follows every write of the data source. Requires the `QueryCacheModule`, whose versions it replaces. */
@Module({
  providers: [
    WriteSide,
    {
      // Provided with the application, so that it starts before other modules write during their initialisation.
      provide: STARTED,
      inject: [WriteSide],
      useFactory: async (writeSide: WriteSide) => {
        await writeSide.start();
        return writeSide;
      },
    },
    { provide: OutboxRelay, inject: [STARTED], useFactory: ({ relay }: WriteSide) => relay },
    {
      provide: TriggerKeeper,
      inject: [STARTED],
      useFactory: ({ triggers }: WriteSide) => triggers,
    },
  ],
  exports: [OutboxRelay, TriggerKeeper],
})
export class CacheInvalidationModule extends ConfigurableModuleClass {
  static override forRoot(options: typeof OPTIONS_TYPE = {}): DynamicModule {
    return super.forRoot(options);
  }
}
