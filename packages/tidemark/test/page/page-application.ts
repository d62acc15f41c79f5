/** Applications with the page, over HTTP, in surroundings that change answers: prefix, versions, envelopes, filters. */
import type { AddressInfo } from 'node:net';
import {
  Catch,
  type ArgumentsHost,
  type CallHandler,
  type DynamicModule,
  type ExecutionContext,
  type INestApplication,
  type NestInterceptor,
  type Provider,
  type Type,
  VersioningType,
} from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR, HttpAdapterHost } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import helmet from 'helmet';
import { map, type Observable } from 'rxjs';
import { DataSource } from 'typeorm';
import {
  CacheInvalidationModule,
  getQueryCacheToken,
  QueryCache,
  QueryCacheModule,
  type QueryCacheModuleOptions,
} from '../../src/index.js';
import { CachePageModule } from '../../src/page/index.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { Part } from '../start/started-application.js';

export const TOKEN = 'a-token-of-more-than-16';

const ADAPTERS = {
  fastify: () => new FastifyAdapter(),
  'fastify that ignores trailing slashes': () => new FastifyAdapter({ ignoreTrailingSlash: true }),
  'fastify with router options': () =>
    new FastifyAdapter({ routerOptions: { ignoreTrailingSlash: true, caseSensitive: false } }),
  express: () => new ExpressAdapter(),
  'express with strict routing': () => {
    const adapter = new ExpressAdapter();
    adapter.set('strict routing', true);
    return adapter;
  },
};

class Envelope implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(map((data: unknown) => ({ data })));
  }
}

@Catch()
class OwnErrors {
  constructor(private readonly host: HttpAdapterHost) {}

  catch(_error: unknown, host: ArgumentsHost): void {
    this.host.httpAdapter.reply(host.switchToHttp().getResponse(), { error: true }, 418);
  }
}

/** Changes what handlers return and what they throw. */
const SURROUNDINGS: Provider[] = [
  { provide: APP_INTERCEPTOR, useClass: Envelope },
  {
    provide: APP_FILTER,
    inject: [HttpAdapterHost],
    useFactory: (host: HttpAdapterHost) => new OwnErrors(host),
  },
];

export interface PageApplicationOptions {
  readonly adapter?: keyof typeof ADAPTERS;
  readonly page?: Parameters<typeof CachePageModule.forRoot>[0];
  readonly module?: DynamicModule;
  /** The names of its data sources beside the default one. */
  readonly others?: readonly string[];
  readonly hasSurroundings?: boolean;
  readonly cache?: QueryCacheModuleOptions;
  readonly providers?: Provider[];
  readonly controllers?: Type[];
  readonly bodyParser?: boolean;
}

export class PageApplication {
  private constructor(
    readonly app: INestApplication,
    /** Of the page. */
    readonly url: string,
    readonly log: readonly string[],
  ) {}

  static async start(options: PageApplicationOptions = {}): Promise<PageApplication> {
    const { adapter = 'fastify', page = { token: TOKEN }, others = [], hasSurroundings } = options;
    const names = ['default', ...others];
    const sources = names.map(async (name) =>
      TypeOrmModule.forRoot({
        ...(name !== 'default' && { name }),
        type: 'postgres',
        url: await createDatabase(),
        entities: [Part],
        synchronize: true,
        retryAttempts: 0,
      }),
    );
    const caches = names.flatMap((dataSource) => [
      QueryCacheModule.forRoot({ ttlJitter: 0, ...options.cache, dataSource }),
      CacheInvalidationModule.forRoot({ dataSource }),
    ]);
    const testing = await Test.createTestingModule({
      imports: [
        ...(await Promise.all(sources)),
        ...caches,
        options.module ?? CachePageModule.forRoot(page),
      ],
      controllers: options.controllers ?? [],
      providers: [...(options.providers ?? []), ...(hasSurroundings ? SURROUNDINGS : [])],
    }).compile();
    const app: INestApplication = testing.createNestApplication(ADAPTERS[adapter](), {
      bodyParser: options.bodyParser ?? true,
    });
    const log: string[] = [];
    const write = (...line: unknown[]): void => void log.push(line.map(String).join(' '));
    app.useLogger({ log: write, error: write, warn: write, debug: write, verbose: write });
    if (hasSurroundings) {
      app.use(helmet());
      app.setGlobalPrefix('shop/v9');
      app.enableVersioning({ type: VersioningType.URI, defaultVersion: '2' });
    }
    try {
      await app.listen(0, '127.0.0.1');
    } catch (error) {
      await app.close();
      throw error;
    }
    const { port } = (app.getHttpServer() as { address(): AddressInfo }).address();
    const prefix = hasSurroundings ? '/shop/v9' : '';
    return new PageApplication(
      app,
      `http://127.0.0.1:${port}${prefix}/${options.page?.path ?? 'tidemark'}`,
      log,
    );
  }

  cacheOf(name = 'default'): QueryCache {
    return this.app.get(getQueryCacheToken(name));
  }

  sourceOf(name = 'default'): DataSource {
    return this.app.get<DataSource>(name === 'default' ? DataSource : `${name}DataSource`);
  }

  /** Without a token; redirects are not followed. */
  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`${this.url}${path}`, { redirect: 'manual', ...init });
  }

  /** With the token. */
  ask(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { authorization: `Bearer ${TOKEN}`, ...init.headers };
    return this.fetch(`/api/${path}`, { ...init, headers });
  }

  async read<T>(path: string): Promise<T> {
    const answer = await this.ask(path);
    if (answer.status !== 200) throw new Error(`${answer.status}: ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  /** With a body of JSON and, by default, with the token. */
  send(method: string, path: string, body: unknown, headers: Record<string, string> = {}) {
    return this.ask(path, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  }

  stop(): Promise<void> {
    return this.app.close();
  }
}
