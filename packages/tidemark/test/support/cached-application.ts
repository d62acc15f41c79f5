/** An application with the two cache modules alone, over any entities. */
import type { Abstract, INestApplicationContext, Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource, type EntityTarget, type ObjectLiteral } from 'typeorm';
import {
  CacheInvalidationModule,
  type CacheInvalidationModuleOptions,
  QueryCache,
  QueryCacheModule,
  type QueryCacheModuleOptions,
} from '../../src/index.js';

export interface CachedApplicationOptions {
  readonly databaseUrl: string;
  readonly entities: readonly EntityTarget<ObjectLiteral>[];
  /** Makes the tables before the cache looks at them. */
  readonly synchronize?: boolean;
  readonly poolSize?: number;
  /** Options of node-postgres. */
  readonly extra?: object;
  readonly cache?: QueryCacheModuleOptions;
  readonly invalidation?: CacheInvalidationModuleOptions;
}

export class CachedApplication {
  private constructor(
    private readonly context: INestApplicationContext,
    readonly source: DataSource,
    readonly cache: QueryCache,
  ) {}

  static async start(options: CachedApplicationOptions): Promise<CachedApplication> {
    const testing = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({
          type: 'postgres',
          url: options.databaseUrl,
          entities: [...options.entities] as (new () => object)[],
          synchronize: options.synchronize ?? false,
          poolSize: options.poolSize ?? 5,
          // If the application does not start, its connections are closed here.
          extra: { allowExitOnIdle: true, ...options.extra },
          retryAttempts: 0,
        }),
        QueryCacheModule.forRoot(options.cache ?? {}),
        CacheInvalidationModule.forRoot({ triggers: 'off', ...options.invalidation }),
      ],
    }).compile();
    testing.useLogger(false);
    try {
      await testing.init();
    } catch (error) {
      await testing.close();
      throw error;
    }
    return new CachedApplication(testing, testing.get(DataSource), testing.get(QueryCache));
  }

  /** A provider of one of the modules. */
  get<T>(provider: Type<T> | Abstract<T>): T {
    return this.context.get(provider, { strict: false });
  }

  /** The cache's outcomes while `work` ran, as `hit`, `miss` and `bypass`. */
  async observe<T>(work: () => Promise<T>): Promise<{ value: T; outcomes: string[] }> {
    const outcomes: string[] = [];
    const names = ['hit', 'miss', 'bypass'] as const;
    const listeners = names.map((name) => {
      const listener = (): void => void outcomes.push(name);
      this.cache.events.on(name, listener);
      return () => this.cache.events.off(name, listener);
    });
    try {
      return { value: await work(), outcomes };
    } finally {
      for (const stop of listeners) stop();
    }
  }

  stop(): Promise<void> {
    return this.context.close();
  }
}
