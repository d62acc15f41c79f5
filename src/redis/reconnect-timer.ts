import { retryDelayMs } from './redis-connection.timing.js';

/**
 * When to connect again: later each time it has failed. The client's own timer would be lost, and with it
 * the way to stop, where somebody calls `connect` while it runs.
 */
export class ReconnectTimer {
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #isClosed = false;

  constructor(private readonly connect: () => void) {}

  /** After an attempt has failed, or a connection was lost. */
  start(): void {
    this.cancel();
    if (this.#isClosed) return;
    this.#timer = setTimeout(this.connect, retryDelayMs(this.#failures)).unref();
    this.#failures += 1;
  }

  /** Somebody connects by himself. */
  cancel(): void {
    clearTimeout(this.#timer);
  }

  connected(): void {
    this.#failures = 0;
  }

  close(): void {
    this.#isClosed = true;
    this.cancel();
  }
}
