import { Injectable } from '@nestjs/common';
import { HealthIndicatorService } from '@nestjs/terminus';
import { OutboxRelay, CacheHealth, QueryCacheOptions } from '@tidemark/nestjs';
import { DriverBounds } from '../database/bounded-driver.js';
import { Drain } from '../http/drain.js';
import { DatabaseProbe } from './database-probe.js';

/** An older row in the outbox means that writes from outside the service are seen too late. */
const LATE_MS = 10_000;

/** The parts of the service that decide whether it is ready or degraded. */
@Injectable()
export class HealthIndicators {
  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly drain: Drain,
    private readonly probe: DatabaseProbe,
    private readonly bounds: DriverBounds,
    private readonly cacheHealth: CacheHealth,
    private readonly relay: OutboxRelay,
    private readonly options: QueryCacheOptions,
  ) {}

  /** Down as soon as the service stops, so that new requests go to other instances. */
  service() {
    const indicator = this.indicators.check('service');
    return this.drain.hasBegun ? indicator.down('is stopping') : indicator.up();
  }

  /** Down if the database does not answer in time; degraded while requests are refused because of its load. */
  async database() {
    const indicator = this.indicators.check('database');
    try {
      await this.probe.ask();
    } catch {
      // The reason is not public; the log has it.
      return indicator.down('does not answer');
    }
    if (!this.bounds.isCrowded) return indicator.up();
    return indicator.degraded(
      'Half or more of DATABASE_QUEUE wait for a connection: of many requests at once, most are refused',
    );
  }

  /** Never down: without its cache the service is slower, not wrong. */
  cache() {
    const indicator = this.indicators.check('cache');
    const report = this.cacheHealth.check();
    const { release } = this.options;
    return report.status === 'up'
      ? indicator.up({ release })
      : indicator.degraded({ release, message: report.detail });
  }

  /** Never down: without a relay only writes from outside the service are seen late. */
  outsideWrites() {
    const indicator = this.indicators.check('outside-writes');
    const { state, backlog, problem } = this.relay;
    if (problem !== undefined) return indicator.degraded(problem);
    if (state === 'away') {
      return indicator.degraded('The relay cannot reach the database or the cache');
    }
    if (backlog && backlog.ageMs > LATE_MS) {
      return indicator.degraded(
        `${backlog.rows} writes from outside wait to be relayed, the oldest for ${Math.round(backlog.ageMs / 1000)} s`,
      );
    }
    return indicator.up({ relay: state });
  }
}
