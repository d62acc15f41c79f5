import type { Writable } from 'node:stream';

/**
 * Lets what is written by one callback and the promises that it settles leave together: a write to a
 * socket costs more than a command.
 */
export class GatheredWrites {
  #held: Writable | undefined;

  /** To be called before each write. */
  hold(stream: Writable): void {
    if (this.#held === stream) return;
    this.#held = stream;
    stream.cork();
    process.nextTick(() => {
      if (this.#held === stream) this.#held = undefined;
      stream.uncork();
    });
  }
}
