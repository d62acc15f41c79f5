/**
 * Tracks whether connections of the data source lead to a standby.
 *
 * A standby may lack writes that were acknowledged long ago, and it does not know the transactions of its primary. So
 * its answers are not stored, no conclusion is drawn from them, and its catalog does not count as current. Each of
 * those steps checks the server itself, over the same connection and not later than the answer that counts: a primary
 * never becomes a standby. The state kept here serves health, log and metrics.
 */
import type { DataSource } from 'typeorm';
import type { CacheEvents } from '../../core/ports/cache-events.js';
import { backgroundTimers, pause } from '../../core/ports/clock.js';
import { IS_STANDBY } from '../../postgres/standby.js';
import { askPrimary } from './own-question.js';

/** Pause between two checks of a server that was a standby. */
const ASK_AGAIN_MS = 1_000;
/** The database counts as a primary again after this time without a connection to a standby. */
const QUIET_MS = 3_000;

export interface StandbyLog {
  log(message: string): void;
  warn(message: string): void;
}

export class StandbyWatch {
  #isStandby = false;
  #metAtMs = -Infinity;
  #isClosed = false;

  constructor(
    private readonly source: DataSource,
    private readonly events: CacheEvents,
    private readonly log: StandbyLog,
  ) {}

  /** Call when a connection of the data source leads to a standby. */
  met(): void {
    this.#metAtMs = performance.now();
    if (this.#isStandby || this.#isClosed) return;
    this.#isStandby = true;
    this.log.warn(
      'The database is a standby: answers are taken from it and not stored, until it is promoted. ' +
        'Check that the data source connects to the primary.',
    );
    this.events.emitSafely('standby', { isStandby: true });
    void this.#untilPromoted();
  }

  /** The degradation, in words; `undefined` if there is none. */
  get degradation(): string | undefined {
    if (!this.#isStandby) return undefined;
    return 'The database is a standby: nothing is stored until it is promoted';
  }

  close(): void {
    this.#isClosed = true;
  }

  async #untilPromoted(): Promise<void> {
    do {
      await pause(backgroundTimers, ASK_AGAIN_MS);
      if (this.#isClosed) return;
      // Other connections may still lead to a standby.
    } while (!(await this.#isPrimary()) || performance.now() - this.#metAtMs < QUIET_MS);
    if (this.#isClosed) return;
    this.#isStandby = false;
    this.log.log('The database is no longer a standby');
    this.events.emitSafely('standby', { isStandby: false });
  }

  /** `false` also if the server does not answer. */
  async #isPrimary(): Promise<boolean> {
    try {
      const [row] = await askPrimary(this.source, `SELECT ${IS_STANDBY} AS "isStandby"`);
      return row?.['isStandby'] === false;
    } catch {
      return false;
    }
  }
}
