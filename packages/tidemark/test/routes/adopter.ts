/** An application of an adopter, over HTTP: the two cache modules and the given providers. */
import type { INestApplication, LoggerService, ModuleMetadata, Type } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
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
import { eventually } from '../../../../test/support/eventually.js';
import { StatementCounter } from '../support/statement-counter.js';
import { representatives } from '../../../../test/support/long-tests.js';
import { inject, type HttpAnswer, type HttpRequest } from './http-client.js';

const MAKE = { fastify: () => new FastifyAdapter(), express: () => new ExpressAdapter() };

const IN_DOUBT = /fwd=bypass; detail=(in-doubt|settling|schema-change)/;

export type AdapterName = keyof typeof MAKE;

/** For `describe.each`. */
export const ADAPTERS: readonly AdapterName[] = ['fastify', 'express'];
/** Express alone in `npm test`: the specs of the service run on Fastify. */
export const FEWER_ADAPTERS = representatives(ADAPTERS, 1);

/** The common part of the replies of both adapters. */
export interface Reply {
  header(name: string, value: string | undefined): Reply;
  status(code: number): Reply;
  send(body: unknown): unknown;
}

export interface AdopterOptions extends Pick<
  ModuleMetadata,
  'imports' | 'controllers' | 'providers'
> {
  readonly entities: readonly Type[];
  /** Default: Fastify. */
  readonly adapter?: AdapterName;
  readonly cache?: QueryCacheModuleOptions;
  readonly invalidation?: CacheInvalidationModuleOptions;
  readonly logger?: LoggerService;
  /** Called before the application is initialised, as a `main.ts` would. */
  readonly configure?: (app: INestApplication) => unknown;
}

export interface Adopter {
  readonly app: INestApplication;
  /** Of the database. */
  readonly url: string;
  readonly source: DataSource;
  readonly sql: StatementCounter;
  /**
   * Sends a request over HTTP, and again as long as a mark of an earlier write lies on the answer: it is removed in the
   * background. `sql` has the statements of the last of these requests.
   */
  readonly inject: (asked: HttpRequest) => Promise<HttpAnswer>;
  stop(): Promise<void>;
}

export async function startAdopter({
  entities,
  adapter = 'fastify',
  cache,
  invalidation = {},
  logger,
  imports = [],
  controllers = [],
  providers = [],
  configure,
}: AdopterOptions): Promise<Adopter> {
  const url = await createDatabase();
  const testing = await Test.createTestingModule({
    imports: [
      TypeOrmModule.forRoot({
        type: 'postgres',
        url,
        entities: [...entities],
        synchronize: true,
        retryAttempts: 0,
      }),
      QueryCacheModule.forRoot({ ttlMs: 60_000, ttlJitter: 0, ...cache }),
      // As the README has it: without options all defaults hold.
      CacheInvalidationModule.forRoot(invalidation),
      ...imports,
    ],
    controllers,
    providers,
  }).compile();
  const app: INestApplication = testing.createNestApplication(MAKE[adapter]());
  app.useLogger(logger ?? false);
  const source = app.get(DataSource);
  try {
    await configure?.(app);
    await app.listen(0, '127.0.0.1');
  } catch (error) {
    await app.close();
    throw error;
  }
  const sql = StatementCounter.attach(source);
  return {
    app,
    url,
    source,
    sql,
    inject: (asked) =>
      eventually(async () => {
        sql.reset();
        const answer = await inject(app, asked);
        if (IN_DOUBT.test(String(answer.headers['cache-status']))) throw new Error('in doubt');
        return answer;
      }),
    stop: async () => {
      sql.detach();
      await app.close();
    },
  };
}
