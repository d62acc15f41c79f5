import type { Writable } from 'node:stream';

/** How long a write waits for another one, in milliseconds. */
const LONGEST_WAIT_MS = 2;

/**
 * Lets what is written by one callback and the promises that it settles leave together: a write to a
 * socket costs more than a command. Where something is to be written at the end of the turn, what comes
 * before leaves with that.
 */
export class GatheredWrites {
  #held: Writable | undefined;
  #atEnd: (() => void)[] = [];
  #waiting: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** To be called before each write. */
  hold(stream: Writable): void {
    if (this.#held === stream) return;
    this.#release();
    this.#held = stream;
    stream.cork();
    process.nextTick(() => {
      if (this.#atEnd.length > 0) return;
      this.#runWaiting();
      this.#release();
    });
  }

  /**
   * Runs `write` once the callbacks of this turn of the event loop have run.
   *
   * The check phase, where it runs, follows the poll phase, where the requests of all sockets that had
   * something to say are handled one after the other; a microtask or `nextTick` would run after the first
   * of them already. A timer would let the loop sleep in between; with an immediate pending it does not.
   */
  atEndOfTurn(write: () => void): void {
    this.#atEnd.push(write);
    if (this.#atEnd.length > 1) return;
    setImmediate(() => {
      const writes = this.#atEnd;
      this.#atEnd = [];
      try {
        for (const next of writes) next();
        this.#runWaiting();
      } finally {
        this.#release();
      }
    });
  }

  /** What `send` answers, called as by {@link atEndOfTurn}. */
  answerAtEndOfTurn<T>(send: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.atEndOfTurn(() => send().then(resolve, reject));
    });
  }

  /** Runs `write`, which nobody waits for, behind what is written next, or after a moment. */
  withNext(write: () => void): void {
    this.#waiting.push(write);
    this.#timer ??= setTimeout(() => this.#runWaiting(), LONGEST_WAIT_MS);
  }

  /** What `send` answers, called as by {@link withNext}. */
  answerWithNext<T>(send: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.withNext(() => send().then(resolve, reject));
    });
  }

  #runWaiting(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const writes = this.#waiting;
    this.#waiting = [];
    for (const next of writes) next();
  }

  #release(): void {
    this.#held?.uncork();
    this.#held = undefined;
  }
}
