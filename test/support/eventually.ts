import { setTimeout as delay } from 'node:timers/promises';

/** The first pause between two attempts, and the longest that it grows to. */
const FIRST_PAUSE_MS = 1;
const MAX_PAUSE_MS = 20;

/**
 * Repeats `probe` until it neither throws nor rejects, and answers what it answered. After
 * `limitMs` the last failure is thrown: the limit is for what never happens, not for what is slow.
 */
export async function eventually<T>(probe: () => Promise<T> | T, limitMs = 20_000): Promise<T> {
  const endMs = performance.now() + limitMs;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)) {
    try {
      return await probe();
    } catch (error) {
      if (performance.now() > endMs) throw error;
      await delay(pauseMs);
    }
  }
}
