/** Where time comes from, so that a test can be its own clock. */

export interface Clock {
  /** Milliseconds since a fixed moment; only differences between two readings of one clock count. */
  nowMs(): number;
}

/** Never goes backwards and knows no date: for leases and deadlines. */
export const systemClock: Clock = { nowMs: () => performance.now() };

/** Milliseconds since the Unix epoch, as the operating system has them: for dates that are stored. */
export const wallClock: Clock = { nowMs: () => Date.now() };
