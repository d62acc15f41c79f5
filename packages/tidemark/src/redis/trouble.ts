import { systemClock, type Clock } from '../core/ports/clock.js';

/** A trouble with Redis that shows for a while after it was last noticed. Its begin and its end are logged once. */
export class Trouble {
  #isOn = false;
  #lastMs = -Infinity;

  constructor(
    private readonly shownMs: number,
    private readonly log: { begin(): void; end?(): void },
    private readonly clock: Clock = systemClock,
  ) {}

  get isOn(): boolean {
    return this.#isOn;
  }

  noticed(): void {
    if (!this.#isOn) this.log.begin();
    this.show();
  }

  /** As {@link noticed}, where the log has the reason already. */
  show(): void {
    this.#isOn = true;
    this.#lastMs = this.clock.nowMs();
  }

  /** Nothing of it is seen now. */
  absent(): void {
    if (!this.#isOn || this.clock.nowMs() - this.#lastMs < this.shownMs) return;
    this.#isOn = false;
    this.log.end?.();
  }
}
