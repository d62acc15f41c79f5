type Stop = () => Promise<void>;

/** npm passes a Ctrl-C on that the terminal has delivered already: that is one signal, not two. */
const SAME_SIGNAL_MS = 500;
/** Shorter than what container engines are told to wait. */
const MAX_STOP_MS = 25_000;

/** Ends the process on a signal: cleanly at the first, at once at the second. */
export class Shutdown {
  readonly #steps: Stop[] = [];
  #begun: Promise<void> | undefined;
  #signalledAtMs = -SAME_SIGNAL_MS;

  /** @param report called when stopping fails. */
  constructor(private readonly report: (problem: string, error?: unknown) => void) {
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => this.#onSignal());
  }

  #onSignal(): void {
    const sinceLastMs = performance.now() - this.#signalledAtMs;
    this.#signalledAtMs += sinceLastMs;
    if (sinceLastMs < SAME_SIGNAL_MS) return;
    // The embedded database follows by itself when this process is gone.
    if (this.#begun) process.exit(1);
    void this.begin(0);
  }

  /** Adds a step; the last one added is the first to run. One that comes too late runs at once. */
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
