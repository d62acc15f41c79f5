import { systemClock, type Clock } from '../core/ports/clock.js';

/** A problem with Redis that shows for a while after it was last noticed. Its start and its end are logged once. */
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

  /** Like {@link noticed}, for a reason that the log already has. */
  show(): void {
    this.#isOn = true;
    this.#lastMs = this.clock.nowMs();
  }

  /** The problem is not seen now. */
  absent(): void {
    if (!this.#isOn || this.clock.nowMs() - this.#lastMs < this.shownMs) return;
    this.#isOn = false;
    this.log.end?.();
  }
}
