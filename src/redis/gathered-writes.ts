import type { Writable } from 'node:stream';

/**
 * Lets what is written until this turn's work is done leave together: a write to a socket costs more than
 * a command.
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
