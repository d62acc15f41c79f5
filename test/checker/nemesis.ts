/**
 * Breaks the invalidation from outside: puts every version of the users back to what it was, in
 * Redis, so that answers that were ended count again.
 */
import { Redis } from 'ioredis';
import { setTimeout as delay } from 'node:timers/promises';

const PAUSE_MS = 40;
/** More than a run ever has. */
const ALL_KEYS = 1_000_000;
const PATTERN = '*:{public.users}:v:*';

/** Until the signal is aborted. Answers how many versions were put back. */
export async function restoreVersions(redisUrl: string, stopping: AbortSignal): Promise<number> {
  const client = new Redis(redisUrl, { maxRetriesPerRequest: 1 });
  client.on('error', () => undefined);
  const first = new Map<string, string>();
  let restored = 0;
  try {
    while (!stopping.aborted) {
      const [, keys] = await client.scan('0', 'MATCH', PATTERN, 'COUNT', ALL_KEYS);
      for (const key of keys) {
        const version = await client.get(key);
        if (version === null) continue;
        const old = first.get(key);
        if (old === undefined) {
          // One with a mark is not an old state but a write under way.
          if (!version.includes('!')) first.set(key, version);
        } else if (version !== old) {
          await client.set(key, old);
          restored += 1;
        }
      }
      await delay(PAUSE_MS);
    }
  } finally {
    client.disconnect();
  }
  return restored;
}
