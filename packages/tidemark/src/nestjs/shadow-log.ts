import type { Logger } from '@nestjs/common';
import type { CacheEvents } from '../core/ports/cache-events.js';
import { systemClock } from '../core/ports/clock.js';
import { DifferenceLog } from './difference-log.js';

/** Logs the differences that shadow mode finds, at most once a minute for each query. */
export function logShadow(
  events: CacheEvents,
  log: Pick<Logger, 'error'>,
  clock = systemClock,
): void {
  const differences = new DifferenceLog(log, clock);
  events.on('shadowCompared', ({ query, difference }) => {
    if (difference === 'none') return;
    differences.note('Shadow mode', query, difference, 'It was not served.');
  });
}
