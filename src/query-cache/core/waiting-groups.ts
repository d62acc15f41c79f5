/**
 * Lets many who wait for one and the same go on in groups, each a turn of the event loop after the one before.
 *
 * A hundred answers made one after the other take milliseconds, in which nothing else is seen. Between two groups
 * the loop takes in what the first answers have brought about, so that what new requests wait for is under way
 * while the last of the old ones are answered.
 */
import type { Timers } from './clock.js';

/** Fewer lose what is won by doing the same many times in a row. */
const GROUP_SIZE = 32;

export class WaitingGroups<T> {
  #latest: Promise<T>;
  #count = 0;

  constructor(
    awaited: Promise<T>,
    private readonly timers: Timers,
  ) {
    this.#latest = awaited;
  }

  /** Settles as what is waited for does, when it is the turn of the caller's group. */
  join(): Promise<T> {
    if (this.#count === GROUP_SIZE) {
      this.#latest = this.#aTurnAfter(this.#latest);
      this.#count = 0;
    }
    this.#count += 1;
    return this.#latest;
  }

  async #aTurnAfter(before: Promise<T>): Promise<T> {
    const value = await before;
    await new Promise<void>((resolve) => this.timers.nextTurn(resolve));
    return value;
  }
}
