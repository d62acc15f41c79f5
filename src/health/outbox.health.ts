import { Injectable } from '@nestjs/common';
import { HealthIndicatorService } from '@nestjs/terminus';
import { OutboxRelay } from '../cache-invalidation/index.js';

/** With an older row in the outbox, what others write is seen too late. */
const LATE_MS = 10_000;

/** Never down: without a relay only writes from outside the service are seen late. */
@Injectable()
export class OutboxIndicator {
  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly relay: OutboxRelay,
  ) {}

  check() {
    const indicator = this.indicators.check('outside-writes');
    const { state, backlog, problem } = this.relay;
    if (problem !== undefined) return indicator.degraded(problem);
    if (state === 'away') {
      return indicator.degraded('The relay cannot reach the database or the cache');
    }
    if (backlog && backlog.ageMs > LATE_MS) {
      return indicator.degraded(
        `${backlog.rows} writes from outside wait to be told, the oldest for ${Math.round(backlog.ageMs / 1000)} s`,
      );
    }
    return indicator.up({ relay: state });
  }
}
