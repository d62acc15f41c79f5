/**
 * Rejects with `expired()` when `promise` has not settled within `timeoutMs`.
 *
 * When the timer fires, the event loop gets one more turn: if this process was the one that
 * stalled, the answer is already waiting on the socket and is taken before the verdict.
 */
export function withDeadline<T>(
  promise: Promise<T>,
  timeoutMs: number,
  expired: () => Error,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let settled = false;
    const timer = setTimeout(() => {
      setImmediate(() => {
        if (!settled) reject(expired());
      });
    }, timeoutMs);
    const settle = (): void => {
      settled = true;
      clearTimeout(timer);
    };
    promise.then(
      (value) => {
        settle();
        resolve(value);
      },
      (error: unknown) => {
        settle();
        reject(error);
      },
    );
  });
}
