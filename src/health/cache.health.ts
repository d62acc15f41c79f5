import { Inject, Injectable } from '@nestjs/common';
import { HealthIndicatorService } from '@nestjs/terminus';
import { CacheHealth, QUERY_CACHE_OPTIONS, type QueryCacheOptions } from '../query-cache/index.js';

/** Never down: without its cache the service is slower, not wrong. */
@Injectable()
export class CacheIndicator {
  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly cache: CacheHealth,
    @Inject(QUERY_CACHE_OPTIONS) private readonly options: QueryCacheOptions,
  ) {}

  check() {
    const indicator = this.indicators.check('cache');
    const report = this.cache.check();
    const { release } = this.options;
    return report.status === 'up'
      ? indicator.up({ release })
      : indicator.degraded({ release, message: report.detail });
  }
}
