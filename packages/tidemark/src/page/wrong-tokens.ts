import type { Clock } from '../core/ports/clock.js';

const MAX_WRONG = 5;
const WINDOW_MS = 60_000;

/**
 * Counts the wrong tokens that this process was sent, from all clients together: behind a proxy they have one address.
 * A right token is always accepted, so that nobody is locked out by the guesses of others; what makes guesses hopeless
 * is the length of the token.
 */
export class WrongTokens {
  /** When the last wrong tokens came, the oldest first. */
  #times: number[] = [];

  /** @param onMany called when the limit is reached. */
  constructor(
    private readonly clock: Clock,
    private readonly onMany: () => void,
  ) {}

  /** Counts a wrong token. Returns the seconds to wait if there were too many within a minute. */
  add(): number | undefined {
    const nowMs = this.clock.nowMs();
    this.#times = this.#times.filter((time) => nowMs - time < WINDOW_MS);
    const [oldest = nowMs] = this.#times;
    if (this.#times.length >= MAX_WRONG) return Math.ceil((oldest + WINDOW_MS - nowMs) / 1_000);
    this.#times.push(nowMs);
    if (this.#times.length === MAX_WRONG) this.onMany();
    return undefined;
  }
}
