const MIN_DELAY_MS = 50;
const MAX_DELAY_MS = 1_000;

/**
 * When to connect again: later each time it has failed. The client's own timer would be lost, and with it
 * the way to stop, where somebody calls `connect` while it runs.
 */
export class ReconnectTimer {
  #timer: NodeJS.Timeout | undefined;
  #delayMs = MIN_DELAY_MS;
  #isClosed = false;

  constructor(private readonly connect: () => void) {}

  /** After an attempt has failed, or a connection was lost. */
  start(): void {
    this.cancel();
    if (this.#isClosed) return;
    this.#timer = setTimeout(this.connect, this.#delayMs).unref();
    this.#delayMs = Math.min(this.#delayMs * 2, MAX_DELAY_MS);
  }

  /** Somebody connects by himself. */
  cancel(): void {
    clearTimeout(this.#timer);
  }

  connected(): void {
    this.#delayMs = MIN_DELAY_MS;
  }

  close(): void {
    this.#isClosed = true;
    this.cancel();
  }
}
