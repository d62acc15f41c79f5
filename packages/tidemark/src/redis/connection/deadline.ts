import { RedisTimeoutError } from './redis.errors.js';

/** A timer that fires this much too late, in milliseconds, shows that this process stalled. */
const STALL_MS = 50;

/**
 * Rejects with `RedisTimeoutError` if `promise` has not settled within `timeoutMs`; `name` is for the message.
 *
 * When the timer fires, the event loop gets one more turn: if this process stalled, the answer may already wait on the
 * socket. The command may have waited in this process too, so after a stall the time limit starts once more.
 */
export function withDeadline<T>(promise: Promise<T>, timeoutMs: number, name: string): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const startedMs = performance.now();
    const fail = (): void =>
      void setImmediate(() => reject(new RedisTimeoutError(name, timeoutMs)));
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
