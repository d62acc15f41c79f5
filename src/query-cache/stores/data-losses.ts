import type { RedisLog } from '../../redis/outage-state.js';
import { systemClock, type Clock } from '../core/clock.js';

/** For how long a loss is shown. */
const SHOWN_MS = 15_000;

/**
 * Whether Redis has lost data of the cache of late while it was there all the time: nothing old is served, but
 * answers have to be filled anew. Losses that follow one another are logged once.
 */
export class DataLosses {
  #lastMs = -Infinity;

  /** `address` is for messages; it has no user and no password. */
  constructor(
    private readonly address: string,
    private readonly log: RedisLog,
    private readonly clock: Clock = systemClock,
  ) {}

  get isRecent(): boolean {
    return this.clock.nowMs() - this.#lastMs < SHOWN_MS;
  }

  /** A table's epoch that this process has trusted is gone, or what belongs to it. */
  noticed(): void {
    const isFirst = !this.isRecent;
    this.happened();
    if (!isFirst) return;
    this.log.warn(
      `Redis at ${this.address} has lost data of the cache, so answers are filled anew; let no other client ` +
        'delete its keys, and set maxmemory-policy to volatile-lru or noeviction',
    );
  }

  /** The same, where the log has the reason already. */
  happened(): void {
    this.#lastMs = this.clock.nowMs();
  }
}
