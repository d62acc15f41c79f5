/**
 * Whether connections of the data source lead to a standby.
 *
 * A standby may lack writes that were acknowledged long ago, and it knows nothing of the transactions of its
 * primary. So nothing that it answers is stored, concluded from, or taken for the present catalog. Each of those
 * steps asks the server it is about, over the same connection and not later than the answer that counts: a server
 * that is no standby never becomes one. What is kept here is for the health, the log and the measurements.
 */
import type { DataSource } from 'typeorm';
import type { CacheEvents } from '../core/cache-events.js';
import { askPrimary } from './own-question.js';

/** Pause between two questions to a server that was a standby. */
const ASK_AGAIN_MS = 1_000;
/** No connection led to a standby for so long before the database counts as none any more. */
const QUIET_MS = 3_000;

/** As SQL: whether the server that is asked is a standby. */
export const IS_STANDBY = 'pg_catalog.pg_is_in_recovery()';

/** The server is a standby, from which nothing can be concluded. */
export class StandbyError extends Error {
  constructor() {
    super('the database is a standby, which may lack writes');
    this.name = 'StandbyError';
  }
}

export interface StandbyLog {
  log(message: string): void;
  warn(message: string): void;
}

export class StandbyWatch {
  #timer: NodeJS.Timeout | undefined;
  #metAtMs = -Infinity;
  #isClosed = false;

  constructor(
    private readonly source: DataSource,
    private readonly events: CacheEvents,
    private readonly log: StandbyLog,
  ) {}

  /** To be called when a connection of the data source was found to lead to a standby. */
  met(): void {
    this.#metAtMs = performance.now();
    if (this.#timer !== undefined || this.#isClosed) return;
    this.log.warn(
      'The database is a standby: answers are taken from it and not stored, until it is promoted. ' +
        'Check that the data source connects to the primary.',
    );
    this.events.tell('standby', { isStandby: true });
    this.#askLater();
  }

  /** What is not as it should be, in words; `undefined` when all is well. */
  get degradation(): string | undefined {
    if (this.#timer === undefined) return undefined;
    return 'The database is a standby: nothing is stored until it is promoted';
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #askLater(): void {
    this.#timer = setTimeout(() => void this.#ask(), ASK_AGAIN_MS).unref();
  }

  async #ask(): Promise<void> {
    const isStandby = await this.#isStandby();
    if (this.#isClosed) return;
    // Other connections may still lead to one.
    const isRecent = performance.now() - this.#metAtMs < QUIET_MS;
    if (isStandby || isRecent) return this.#askLater();
    this.#timer = undefined;
    this.log.log('The database is no standby any more');
    this.events.tell('standby', { isStandby: false });
  }

  async #isStandby(): Promise<boolean> {
    try {
      const [row] = await askPrimary(this.source, `SELECT ${IS_STANDBY} AS "isStandby"`);
      return row?.['isStandby'] !== false;
    } catch {
      // Whether it is one is found out when it answers.
      return true;
    }
  }
}
