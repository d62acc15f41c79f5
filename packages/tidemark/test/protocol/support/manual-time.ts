import type { Clock, Timers } from '../../../src/core/ports/clock.js';

interface Timer {
  readonly atMs: number;
  readonly run: () => void;
}

/** A clock and timers that a test advances. */
export class ManualTime implements Clock, Timers {
  #nowMs = 1_000_000;
  #timers: Timer[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Advances the clock by so many milliseconds and runs the timers due meanwhile. */
  async pass(durationMs: number): Promise<void> {
    const endMs = this.#nowMs + durationMs;
    for (;;) {
      await settled();
      const due = this.#timers.filter(({ atMs }) => atMs <= endMs).toSorted(inTime)[0];
      if (!due) break;
      this.#timers = this.#timers.filter((other) => other !== due);
      this.#nowMs = due.atMs;
      due.run();
    }
    this.#nowMs = endMs;
  }

  /** The value of the promise without time passing; throws if the promise needs time. */
  async withoutWaiting<T>(promise: Promise<T>): Promise<T> {
    if (await this.isPending(promise)) throw new Error('It waits for time to pass.');
    return promise;
  }

  /** Whether the promise waits for time to pass. */
  async isPending(promise: Promise<unknown>): Promise<boolean> {
    let isPending = true;
    const ended = (): void => {
      isPending = false;
    };
    promise.then(ended, ended);
    await settled();
    return isPending;
  }
}

/** Promises alone settle within one turn of the event loop; groups of readers take a few. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise<void>((done) => setImmediate(done));
}

function inTime(a: Timer, b: Timer): number {
  return a.atMs - b.atMs;
}
