import { Module, type OnModuleInit } from '@nestjs/common';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { OutboxRelay, CacheEvents, CacheHealth, QueryCacheOptions } from '@tidemark/nestjs';
import { countCacheEvents, measureCache } from './cache-metrics.js';
import { MetricsController } from './metrics.controller.js';
import { measureOutbox } from './outbox-metrics.js';

/** Metrics of the process, of requests and of the cache. The registry belongs to one application. */
@Module({
  controllers: [MetricsController],
  providers: [{ provide: Registry, useFactory: () => new Registry() }],
  exports: [Registry],
})
export class MetricsModule implements OnModuleInit {
  constructor(
    private readonly registry: Registry,
    private readonly events: CacheEvents,
    private readonly health: CacheHealth,
    private readonly relay: OutboxRelay,
    private readonly cache: QueryCacheOptions,
  ) {}

  onModuleInit(): void {
    collectDefaultMetrics({ register: this.registry });
    countCacheEvents(this.events, this.registry);
    measureCache(this.health, this.cache.release, this.registry);
    measureOutbox(this.relay, this.events, this.registry);
  }
}
