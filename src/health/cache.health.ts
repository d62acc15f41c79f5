import { Injectable } from '@nestjs/common';
import { HealthIndicatorService } from '@nestjs/terminus';
import { CacheHealth } from '../query-cache/index.js';

/** Never down: without its cache the service is slower, not wrong. */
@Injectable()
export class CacheIndicator {
  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly cache: CacheHealth,
  ) {}

  check() {
    const indicator = this.indicators.check('cache');
    const report = this.cache.check();
    return report.status === 'up' ? indicator.up() : indicator.degraded(report.detail);
  }
}
