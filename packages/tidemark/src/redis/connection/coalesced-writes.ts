import type { Writable } from 'node:stream';

const MAX_WAIT_MS = 2;

/**
 * Coalesces the commands that one callback sends, and those sent by the promises that it settles, into one socket
 * write: a socket write costs more than a command. If a command is due at the end of the turn, earlier commands leave
 * with it.
 */
export class CoalescedWrites {
  #held: Writable | undefined;
  #atEnd: (() => void)[] = [];
  #waiting: (() => void)[] = [];
  #idle: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** @param maxWaitMs how long a write waits for another one, in milliseconds. */
  constructor(private readonly maxWaitMs = MAX_WAIT_MS) {}

  /** Must be called before each write. */
  hold(stream: Writable): void {
    if (this.#held === stream) return;
    this.#release();
    this.#held = stream;
    stream.cork();
    process.nextTick(() => {
      if (this.#atEnd.length === 0) this.#flush();
    });
  }

  /**
   * Runs `write` after the callbacks of this turn of the event loop, and resolves to its result. A microtask or
   * `nextTick` would already run after the request of the first socket; a timer would let the loop sleep in between.
   */
  atEndOfTurn<T>(write: () => Promise<T>): Promise<T> {
    return new Promise((resolve) => {
      this.#atEnd.push(() => resolve(called(write)));
      if (this.#atEnd.length > 1) return;
      setImmediate(() => {
        const writes = this.#atEnd;
        this.#atEnd = [];
        for (const next of writes) next();
        this.#flush();
      });
    });
  }

  /** Runs `write`, for which no caller waits, behind the next write, or after `maxWaitMs`. */
  withNext<T>(write: () => Promise<T>): Promise<T> {
    return new Promise((resolve) => {
      this.#waiting.push(() => resolve(called(write)));
      this.#startTimer();
    });
  }

  /** Resolves when the next write has left, so that there is time until its answer comes, or after `maxWaitMs`. */
  whenWaiting(): Promise<void> {
    return new Promise((resolve) => {
      this.#idle.push(resolve);
      this.#startTimer();
    });
  }

  #startTimer(): void {
    this.#timer ??= setTimeout(() => this.#flush(), this.maxWaitMs);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const writes = this.#waiting;
    this.#waiting = [];
    for (const next of writes) next();
    this.#release();
    const idle = this.#idle;
    this.#idle = [];
    for (const next of idle) next();
  }

  #release(): void {
    this.#held?.uncork();
    this.#held = undefined;
  }
}

/** Turns a synchronous throw into a rejection. */
async function called<T>(write: () => Promise<T>): Promise<T> {
  return write();
}
