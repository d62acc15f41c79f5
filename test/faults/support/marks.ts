import type { Redis } from 'ioredis';

/** A mark as it lies in Redis. */
export interface Mark {
  readonly table: string;
  readonly writeId: string;
  readonly backendPid: number;
  /** Until its lease runs out, on the clock of Redis; negative once it has. */
  readonly leaseLeftMs: number;
  /** An instance has found the lease run out and the transaction under way. */
  readonly isRenewed: boolean;
}

interface StoredMark {
  readonly backendPid: string;
  readonly deadlineMs: string;
  readonly transactionId: string;
}

/** All marks of the namespace `tidemark`; packages/tidemark/src/redis/redis-keys.ts names the keys. */
export async function marksIn(client: Redis): Promise<Mark[]> {
  const marks: Mark[] = [];
  for await (const keys of client.scanStream({ match: 'tidemark:*:{*}:m', count: 1_000 })) {
    for (const key of keys as string[]) {
      const [seconds = 0, microseconds = 0] = (await client.time()).map(Number);
      const nowMs = seconds * 1_000 + microseconds / 1_000;
      for (const [writeId, text] of Object.entries(await client.hgetall(key))) {
        if (writeId === '#') continue;
        const stored = JSON.parse(text) as StoredMark;
        marks.push({
          table: key.slice(key.indexOf('{') + 1, key.lastIndexOf('}')),
          writeId,
          backendPid: Number(stored.backendPid),
          leaseLeftMs: Number(stored.deadlineMs) - nowMs,
          isRenewed: stored.transactionId !== '',
        });
      }
    }
  }
  return marks;
}
