/**
 * Breaks the invalidation from outside: restores earlier versions of the users in Redis, so that ended answers are
 * served again.
 */
import { Redis } from 'ioredis';
import { setTimeout as delay } from 'node:timers/promises';

const PAUSE_MS = 40;
/** More than a run ever has. */
const ALL_KEYS = 1_000_000;
/** Alone, behind Sentinels, and in a cluster. */
const PATTERN = 'tidemark:*public.users*:v:*';

/** Runs until the signal is aborted. Returns the number of restored versions. */
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
          // A version with a mark belongs to a write under way, not to an old state.
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
