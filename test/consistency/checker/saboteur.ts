/**
 * Breaks the invalidation from outside: puts every version of the users back to what it was, in
 * Redis, so that answers that were ended count again.
 */
import { Redis } from 'ioredis';
import { setTimeout as delay } from 'node:timers/promises';

const PAUSE_MS = 40;
const PATTERN = '*:{public.users}:v:*';

/** Until the signal is aborted. Answers how many versions were put back. */
export async function restoreVersions(redisUrl: string, stopping: AbortSignal): Promise<number> {
  const client = new Redis(redisUrl, { maxRetriesPerRequest: 1 });
  client.on('error', () => undefined);
  const first = new Map<string, string>();
  let restored = 0;
  try {
    while (!stopping.aborted) {
      for (const key of await client.keys(PATTERN)) {
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

/** Takes every mark off while its write is under way, and puts the versions back under it. */
export async function removeMarks(redisUrl: string, stopping: AbortSignal): Promise<number> {
  const client = new Redis(redisUrl, { maxRetriesPerRequest: 1 });
  client.on('error', () => undefined);
  const clean = new Map<string, string>();
  let removed = 0;
  try {
    while (!stopping.aborted) {
      for (const key of await client.keys(PATTERN)) {
        const version = await client.get(key);
        if (version === null) continue;
        if (version.includes('!')) {
          const before = clean.get(key);
          if (before === undefined) continue;
          await client.set(key, before);
          removed += 1;
        } else {
          clean.set(key, version);
        }
      }
    }
  } finally {
    client.disconnect();
  }
  return removed;
}
