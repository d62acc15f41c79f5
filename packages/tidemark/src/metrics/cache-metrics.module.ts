import {
  ConfigurableModuleBuilder,
  Inject,
  Module,
  type DynamicModule,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { DiscoveryModule, DiscoveryService } from '@nestjs/core';
import { register, type Registry } from 'prom-client';
import { allCaches } from '../nestjs/all-caches.js';
import { CollectedMetric } from './collected-metric.js';
import { eventMetrics } from './event-metrics.js';
import { measured } from './measured-cache.js';
import { readMetrics } from './read-metrics.js';
import { stateMetrics } from './state-metrics.js';

export interface CacheMetricsModuleOptions {
  /** The registry that gets the metrics. Default: the one of prom-client. */
  readonly registry?: Pick<Registry, 'registerMetric' | 'removeSingleMetric'>;
}

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<CacheMetricsModuleOptions>({ moduleName: 'CacheMetrics' })
    .setClassMethodName('forRoot')
    .build();

/**
 * Metrics of the caches of all data sources, for Prometheus. Import it once, beside `QueryCacheModule`. If there are
 * several caches, each value has the label `data_source`.
 */
@Module({ imports: [DiscoveryModule] })
export class CacheMetricsModule
  extends ConfigurableModuleClass
  implements OnModuleInit, OnApplicationShutdown
{
  readonly #registry: NonNullable<CacheMetricsModuleOptions['registry']>;
  #metrics: readonly CollectedMetric[] = [];

  constructor(
    @Inject(MODULE_OPTIONS_TOKEN) { registry = register }: CacheMetricsModuleOptions,
    private readonly discovery: DiscoveryService,
  ) {
    super();
    this.#registry = registry;
  }

  static override forRoot(options: typeof OPTIONS_TYPE = {}): DynamicModule {
    return super.forRoot(options);
  }

  /** @throws Error if there is no cache, or the registry has a metric of the same name. */
  onModuleInit(): void {
    const caches = measured(allCaches(this.discovery, CacheMetricsModule.name));
    const parts = [...readMetrics(caches), ...eventMetrics(caches), ...stateMetrics(caches)];
    this.#metrics = parts.map((part) => new CollectedMetric(part));
    for (const metric of this.#metrics) metric.register(this.#registry);
  }

  /** The next application of this process may use the same registry. */
  onApplicationShutdown(): void {
    for (const { name } of this.#metrics) this.#registry.removeSingleMetric(name);
  }
}
