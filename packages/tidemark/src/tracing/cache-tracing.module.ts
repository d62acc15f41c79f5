import {
  Module,
  type DynamicModule,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { DiscoveryModule, DiscoveryService } from '@nestjs/core';
import type { CacheEvents } from '../core/ports/cache-events.js';
import { allCaches } from '../nestjs/all-caches.js';
import { OpenTelemetryTracer } from './open-telemetry-tracer.js';

/**
 * Traces and metrics of OpenTelemetry for the caches of all data sources, through the SDK that the application has
 * started before. Import it once, beside `QueryCacheModule`. If there are several caches, spans and metrics have the
 * attribute `tidemark.data_source`.
 */
@Module({ imports: [DiscoveryModule] })
export class CacheTracingModule implements OnModuleInit, OnApplicationShutdown {
  #events: readonly CacheEvents[] = [];

  constructor(private readonly discovery: DiscoveryService) {}

  static forRoot(): DynamicModule {
    return { module: CacheTracingModule };
  }

  /** @throws Error if there is no cache */
  onModuleInit(): void {
    const caches = allCaches(this.discovery, CacheTracingModule.name);
    this.#events = caches.map(({ read }) => read.events);
    for (const { read } of caches) {
      read.events.tracer = new OpenTelemetryTracer(
        caches.length > 1 ? { 'tidemark.data_source': read.name } : {},
      );
    }
  }

  onApplicationShutdown(): void {
    for (const events of this.#events) events.tracer = undefined;
  }
}
