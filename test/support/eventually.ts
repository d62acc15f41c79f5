import { setTimeout as delay } from 'node:timers/promises';

const PAUSE_MS = 20;

/**
 * Repeats `probe` until it neither throws nor rejects, and answers what it answered. After
 * `limitMs` the last failure is thrown: the limit is for what never happens, not for what is slow.
 */
export async function eventually<T>(probe: () => Promise<T> | T, limitMs = 20_000): Promise<T> {
  const endMs = performance.now() + limitMs;
  for (;;) {
    try {
      return await probe();
    } catch (error) {
      if (performance.now() > endMs) throw error;
      await delay(PAUSE_MS);
    }
  }
}
