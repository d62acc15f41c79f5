import {
  Module,
  type NestModule,
  type OnApplicationBootstrap,
  type OnModuleInit,
} from '@nestjs/common';
import { DiscoveryModule, DiscoveryService, HttpAdapterHost } from '@nestjs/core';
import { CacheInterceptor } from './cache.interceptor.js';
import { HttpAnswers } from './http/http-answers.js';
import { requireAnswers } from './http/interceptor-order.js';
import { answerQueries } from './http/query-replies.js';
import { WriteRefusedFilter } from './http/write-refused.filter.js';
import { QueryCaches } from './query-caches.js';
import { WriteOrigins } from './write-origins.js';

/** The parts that the caches of all data sources share. */
@Module({
  imports: [DiscoveryModule],
  providers: [QueryCaches, HttpAnswers, CacheInterceptor, WriteOrigins],
  exports: [QueryCaches, HttpAnswers, CacheInterceptor, WriteOrigins, DiscoveryModule],
})
export class QueryCachesModule implements NestModule, OnModuleInit, OnApplicationBootstrap {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly host: HttpAdapterHost,
    private readonly answers: HttpAnswers,
    private readonly caches: QueryCaches,
  ) {}

  /** Called after the application has set its filters, and before Nest binds them to routes. */
  configure(): void {
    const { config } = this.answers;
    config.useGlobalFilters(new WriteRefusedFilter(config, this.host));
  }

  /** @throws Error if an interceptor would get queries. */
  onModuleInit(): void {
    const controllers = this.discovery.getControllers().flatMap(({ metatype }) => metatype ?? []);
    requireAnswers(controllers, this.answers.config);
    // Applications without HTTP have no adapter.
    const adapter = this.host.httpAdapter as HttpAdapterHost['httpAdapter'] | undefined;
    if (adapter) answerQueries(adapter, this.answers);
  }

  onApplicationBootstrap(): void {
    this.caches.started();
  }
}
