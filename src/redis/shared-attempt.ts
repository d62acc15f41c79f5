/** One attempt at something for all who wait for one. */
export class SharedAttempt {
  #running: Promise<void> | undefined;

  /** `attempt` never rejects. */
  constructor(private readonly attempt: () => Promise<void>) {}

  /** Resolves when an attempt has ended that began after the call. */
  async made(): Promise<void> {
    // One under way may have met what was true before the call.
    await this.#running;
    this.#running ??= this.attempt().finally(() => (this.#running = undefined));
    await this.#running;
  }
}
