/** A timer that fires so much too late says that this process has stood still. */
const STALL_MS = 50;

/**
 * Rejects with `expired()` when `promise` has not settled within `timeoutMs`.
 *
 * When the timer fires, the event loop gets one more turn: if this process was the one that
 * stalled, the answer is already waiting on the socket and is taken before the verdict. The question may
 * have waited here as well, so after a stall the time begins once more.
 */
export function withDeadline<T>(
  promise: Promise<T>,
  timeoutMs: number,
  expired: () => Error,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const startedMs = performance.now();
    const fail = (): void => void setImmediate(() => reject(expired()));
    let timer = setTimeout(() => {
      const hasStalled = performance.now() - startedMs > timeoutMs + STALL_MS;
      if (hasStalled) timer = setTimeout(fail, timeoutMs);
      else fail();
    }, timeoutMs);
    const stop = (): void => clearTimeout(timer);
    promise.then(resolve, reject);
    promise.then(stop, stop);
  });
}
