import type { Clock } from './clock.js';

const MINUTE_MS = 60_000;

/** Lets so many of something pass in a minute: that many at once, then as many as time brings back. */
export class RateLimit {
  #left: number;
  #atMs: number;

  constructor(
    private readonly perMinute: number,
    private readonly clock: Clock,
  ) {
    this.#left = perMinute;
    this.#atMs = clock.nowMs();
  }

  /** Whether `count` more may pass now; counts them only then. */
  take(count: number): boolean {
    const nowMs = this.clock.nowMs();
    const regained = ((nowMs - this.#atMs) / MINUTE_MS) * this.perMinute;
    this.#left = Math.min(this.perMinute, this.#left + regained);
    this.#atMs = nowMs;
    if (count > this.#left) return false;
    this.#left -= count;
    return true;
  }
}
