import type { Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { ShadowDifference } from '../core/ports/cache-events.js';
import { systemClock, type Clock } from '../core/ports/clock.js';
import { minutes } from './duration.js';

/** Most queries that are remembered as logged. */
const MAX_QUERIES = 1_000;
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

/** Logs stored answers that differ from the database, at most once a minute for each query. */
export class DifferenceLog {
  readonly #logged = new LRUCache<string, Logged>({ max: MAX_QUERIES });

  constructor(
    private readonly log: Pick<Logger, 'error'>,
    private readonly clock: Clock = systemClock,
  ) {}

  /**
   * @param finder begins the line.
   * @param rest ends it.
   */
  note(
    finder: string,
    query: string,
    difference: Exclude<ShadowDifference, 'none'>,
    rest: string,
  ): void {
    const last = this.#logged.get(query);
    const nowMs = this.clock.nowMs();
    if (last && nowMs - last.atMs < PAUSE_MS) {
      last.more += 1;
      return;
    }
    const more = last?.more
      ? ` (and ${last.more} more times in the minute after the last line)`
      : '';
    this.#logged.set(query, { atMs: nowMs, more: 0 });
    this.log.error(
      `${finder}: the stored answer of the query ${query} differs from the database ${IN[difference]}${more}. ${rest}`,
    );
  }
}
