/** Where time comes from, so that it can be another's to say when it passes. */

export interface Clock {
  /** Milliseconds since a fixed moment; only differences between two readings of one clock count. */
  nowMs(): number;
}

/** Never goes backwards and knows no date: for leases and deadlines. */
export const systemClock: Clock = { nowMs: () => performance.now() };

/** Milliseconds since the Unix epoch, as the operating system has them: for dates that are stored. */
export const wallClock: Clock = { nowMs: () => Date.now() };

/** Where waiting comes from. */
export interface Timers {
  /** Runs `then` once after `delayMs`, unless the function it answers is called before. */
  after(delayMs: number, then: () => void): () => void;
  /** Runs `then` once the event loop has handled what is there by now. */
  nextTurn(then: () => void): void;
}

const nextTurn = (then: () => void): void => void setImmediate(then);

export const systemTimers: Timers = {
  after: (delayMs, then) => {
    const timer = setTimeout(then, delayMs);
    return () => clearTimeout(timer);
  },
  nextTurn,
};

/** For work in the background: alone, it does not keep the process alive. */
export const backgroundTimers: Timers = {
  after: (delayMs, then) => {
    const timer = setTimeout(then, delayMs).unref();
    return () => clearTimeout(timer);
  },
  nextTurn,
};

export function pause(timers: Timers, durationMs: number): Promise<void> {
  return new Promise((resolve) => timers.after(durationMs, resolve));
}
