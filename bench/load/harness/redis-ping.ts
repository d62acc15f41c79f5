import { Redis } from 'ioredis';
import { percentile } from '../generator/percentile.js';

const PINGS = 1_000;

/** Median time of a round trip to Redis, in milliseconds, as a Node client sees it. */
export async function redisRoundTripMs(url: string): Promise<number> {
  const redis = new Redis(url);
  try {
    await redis.ping();
    const timesMs: number[] = [];
    for (let time = 0; time < PINGS; time += 1) {
      const startedMs = performance.now();
      await redis.ping();
      timesMs.push(performance.now() - startedMs);
    }
    return percentile(
      timesMs.sort((a, b) => a - b),
      0.5,
    );
  } finally {
    redis.disconnect();
  }
}
