type Stop = () => Promise<void>;

/** npm repeats a Ctrl-C that the terminal has already delivered: both count as one signal. */
const SAME_SIGNAL_MS = 500;
/** Shorter than the usual stop timeout of container engines. */
const MAX_STOP_MS = 25_000;

/** Ends the process on a signal: cleanly at the first, at once at the second. */
export class Shutdown {
  readonly #steps: Stop[] = [];
  #begun: Promise<void> | undefined;
  #signalledAtMs = -SAME_SIGNAL_MS;

  /** @param report called if a step of the shutdown fails. */
  constructor(private readonly report: (problem: string, error?: unknown) => void) {
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => this.#onSignal());
  }

  #onSignal(): void {
    const sinceLastMs = performance.now() - this.#signalledAtMs;
    this.#signalledAtMs += sinceLastMs;
    if (sinceLastMs < SAME_SIGNAL_MS) return;
    // The embedded database stops by itself when this process has ended.
    if (this.#begun) process.exit(1);
    void this.begin(0);
  }

  /** Adds a step; the last step added runs first. A step added after the start of the shutdown runs at once. */
  add(stop: Stop): void {
    if (this.#begun) void stop();
    else this.#steps.unshift(stop);
  }

  /** Runs all steps in order and ends the process. */
  begin(exitCode: number): Promise<void> {
    this.#begun ??= this.#run(exitCode);
    return this.#begun;
  }

  async #run(exitCode: number): Promise<void> {
    setTimeout(() => {
      this.report(`Stopping takes longer than ${MAX_STOP_MS / 1000} s; ending at once`);
      process.exit(1);
    }, MAX_STOP_MS).unref();
    let code = exitCode;
    for (const stop of this.#steps) {
      try {
        await stop();
      } catch (error) {
        this.report('A part of the service did not stop cleanly', error);
        code = 1;
      }
    }
    process.exit(code);
  }
}
