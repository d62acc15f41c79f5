/** Clock and timer ports, so that tests control time. */

export interface Clock {
  /** Milliseconds since a fixed moment; only differences between two readings of one clock count. */
  nowMs(): number;
}

/** Never goes backwards and knows no date: for leases and deadlines. */
export const systemClock: Clock = { nowMs: () => performance.now() };

/** Milliseconds since the Unix epoch, as the operating system has them: for dates that are stored. */
export const wallClock: Clock = { nowMs: () => Date.now() };

export interface Timers {
  /** Runs `then` once after `delayMs`, unless the function it answers is called before. */
  after(delayMs: number, then: () => void): () => void;
}

export const systemTimers: Timers = {
  after: (delayMs, then) => {
    const timer = setTimeout(then, delayMs);
    return () => clearTimeout(timer);
  },
};

/** For work in the background: alone, it does not keep the process alive. */
export const backgroundTimers: Timers = {
  after: (delayMs, then) => {
    const timer = setTimeout(then, delayMs).unref();
    return () => clearTimeout(timer);
  },
};

export function pause(timers: Timers, durationMs: number): Promise<void> {
  return new Promise((resolve) => timers.after(durationMs, resolve));
}

/** The value of the promise; `undefined` where it takes longer than `limitMs`. Rejects as the promise does. */
export async function within<T>(
  timers: Timers,
  limitMs: number,
  promise: Promise<T>,
): Promise<{ readonly value: T } | undefined> {
  let stop = (): void => undefined;
  const late = new Promise<undefined>((resolve) => {
    stop = timers.after(limitMs, () => resolve(undefined));
  });
  try {
    return await Promise.race([promise.then((value) => ({ value })), late]);
  } finally {
    stop();
  }
}
