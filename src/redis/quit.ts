import { once } from 'node:events';
import type { Redis } from 'ioredis';
import { withDeadline } from './deadline.js';
import { RedisTimeoutError } from './redis.errors.js';

/** Lets commands in flight finish within the deadline. Never rejects. */
export async function quit(client: Redis, timeoutMs: number): Promise<void> {
  const ended = Promise.all([once(client, 'end'), client.quit()]);
  const late = (): Error => new RedisTimeoutError('QUIT', timeoutMs);
  await withDeadline(ended, timeoutMs, late).catch(() => undefined);
}
