import type { Logger } from '@nestjs/common';
import type { CacheEvents } from '../core/ports/cache-events.js';
import { systemClock } from '../core/ports/clock.js';
import { minutes } from './duration.js';

/** Pause between two lines about one query. */
const PAUSE_MS = minutes(1);

const IN = {
  content: 'in its content',
  order:
    'in the order of its rows alone, which the database may choose where the query has no ORDER BY',
  headers: 'in its response headers',
};

interface Logged {
  readonly atMs: number;
  /** Differences since then. */
  more: number;
}

/** Logs the differences that shadow mode finds, at most once a minute for each query. */
export function logShadow(
  events: CacheEvents,
  log: Pick<Logger, 'error'>,
  clock = systemClock,
): void {
  const logged = new Map<string, Logged>();
  events.on('shadowCompared', ({ query, difference }) => {
    if (difference === 'none') return;
    const last = logged.get(query);
    const nowMs = clock.nowMs();
    if (last && nowMs - last.atMs < PAUSE_MS) {
      last.more += 1;
      return;
    }
    const more = last?.more
      ? ` (and ${last.more} more times in the minute after the last line)`
      : '';
    logged.set(query, { atMs: nowMs, more: 0 });
    log.error(
      `Shadow mode: the stored answer of the query ${query} differs from the database ${IN[difference]}${more}. ` +
        'It was not served.',
    );
  });
}
