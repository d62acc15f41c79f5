/** An application of an adopter, over HTTP: the two cache modules and the given providers. */
import type { ModuleMetadata, Type } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import {
  CacheInvalidationModule,
  type CacheInvalidationModuleOptions,
  QueryCacheModule,
  type QueryCacheModuleOptions,
} from '../../src/index.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { StatementCounter } from '../support/statement-counter.js';

export interface AdopterOptions extends Pick<ModuleMetadata, 'controllers' | 'providers'> {
  readonly entities: readonly Type[];
  readonly cache?: QueryCacheModuleOptions;
  readonly invalidation?: CacheInvalidationModuleOptions;
  /** Called before the application is initialised, as a `main.ts` would. */
  readonly configure?: (app: NestFastifyApplication) => unknown;
}

export interface Adopter {
  readonly app: NestFastifyApplication;
  readonly source: DataSource;
  readonly sql: StatementCounter;
  stop(): Promise<void>;
}

export async function startAdopter({
  entities,
  cache,
  invalidation = {},
  controllers = [],
  providers = [],
  configure,
}: AdopterOptions): Promise<Adopter> {
  const testing = await Test.createTestingModule({
    imports: [
      TypeOrmModule.forRoot({
        type: 'postgres',
        url: await createDatabase(),
        entities: [...entities],
        synchronize: true,
        retryAttempts: 0,
      }),
      QueryCacheModule.forRoot({ ttlMs: 5_000, ttlJitter: 0, ...cache }),
      // As the README has it: without options all defaults hold.
      CacheInvalidationModule.forRoot(invalidation),
    ],
    controllers,
    providers,
  }).compile();
  const app = testing.createNestApplication<NestFastifyApplication>(new FastifyAdapter());
  app.useLogger(false);
  const source = app.get(DataSource);
  try {
    await configure?.(app);
    await app.init();
    await app.getHttpAdapter().getInstance().ready();
  } catch (error) {
    await app.close();
    throw error;
  }
  const sql = StatementCounter.attach(source);
  return {
    app,
    source,
    sql,
    stop: async () => {
      sql.detach();
      await app.close();
    },
  };
}
