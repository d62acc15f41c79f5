/** Clock and timer ports, so that tests control time. */

export interface Clock {
  /** Milliseconds since a fixed moment; only differences between two readings of one clock are meaningful. */
  nowMs(): number;
}

/** Monotonic, without a date: for leases and deadlines. */
export const systemClock: Clock = { nowMs: () => performance.now() };

/** Milliseconds since the Unix epoch, by the operating system: for stored dates. */
export const wallClock: Clock = { nowMs: () => Date.now() };

export interface Timers {
  /** Runs `then` once after `delayMs`, unless the returned function is called before. */
  after(delayMs: number, then: () => void): () => void;
}

export const systemTimers: Timers = {
  after: (delayMs, then) => {
    const timer = setTimeout(then, delayMs);
    return () => clearTimeout(timer);
  },
};

/** For background work: its timers alone do not keep the process alive. */
export const backgroundTimers: Timers = {
  after: (delayMs, then) => {
    const timer = setTimeout(then, delayMs).unref();
    return () => clearTimeout(timer);
  },
};

export function pause(timers: Timers, durationMs: number): Promise<void> {
  return new Promise((resolve) => timers.after(durationMs, resolve));
}

/** The value of the promise; `undefined` if it takes longer than `limitMs`. Rejects as the promise does. */
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
