import { ConfigurableModuleBuilder, type FactoryProvider } from '@nestjs/common';
import { argumentsOf } from './module-imports.js';
import { QueryCaches } from './query-caches.js';
import { readSideToken, type ReadSide } from './read-side.js';
import { getCacheToken } from './tokens.js';
import type { CacheInvalidationModuleOptions } from './cache-invalidation.options.js';
import { WriteSide } from './write-side.js';
import { OutboxRelay } from '../postgres/capture/outbox-relay.js';
import { DEFAULT_DATA_SOURCE } from '../typeorm/database/data-source-name.js';
import { TriggerKeeper } from '../typeorm/triggers/trigger-keeper.js';

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<CacheInvalidationModuleOptions>({ moduleName: 'CacheInvalidation' })
    .setClassMethodName('forRoot')
    .setExtras(
      {
        isGlobal: true,
        /** The name of the data source in `TypeOrmModule.forRoot({ name })`. */
        dataSource: DEFAULT_DATA_SOURCE,
      },
      (definition, { isGlobal, dataSource }) => ({
        ...definition,
        global: isGlobal,
        providers: [...(definition.providers ?? []), ...providersOf(dataSource)],
        exports: EXPORTED.map((part) => getCacheToken<object>(part, dataSource)),
      }),
    )
    .build();

const EXPORTED = [OutboxRelay, TriggerKeeper];

function providersOf(name: string): FactoryProvider[] {
  const token = getCacheToken(WriteSide, name);
  const started = `tidemark:started-write-side:${name}`;
  return [
    {
      provide: token,
      inject: [
        MODULE_OPTIONS_TOKEN,
        { token: readSideToken(name), optional: true },
        { token: QueryCaches, optional: true },
      ],
      useFactory: (
        options: CacheInvalidationModuleOptions,
        readSide: ReadSide | undefined,
        caches: QueryCaches = new QueryCaches(),
      ) =>
        caches.starting(() => {
          if (readSide) return new WriteSide(readSide, options);
          const given = argumentsOf(name);
          throw new Error(
            `CacheInvalidationModule.forRoot(${given}) has no cache to follow writes for: import ` +
              `QueryCacheModule.forRoot(${given}) beside it.`,
          );
        }),
    },
    {
      // Provided with the application, so that it starts before other modules write during their initialisation.
      provide: started,
      inject: [token],
      useFactory: async (writeSide: WriteSide) => {
        await writeSide.start();
        return writeSide;
      },
    },
    {
      provide: getCacheToken(OutboxRelay, name),
      inject: [started],
      useFactory: ({ relay }: WriteSide) => relay,
    },
    {
      provide: getCacheToken(TriggerKeeper, name),
      inject: [started],
      useFactory: ({ triggers }: WriteSide) => triggers,
    },
  ];
}
