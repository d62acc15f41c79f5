/** The heartbeat of the connection to Redis: checks that the cache can do everything that it needs there. */
import type { Redis } from 'ioredis';
import type { Heartbeat } from './connection/redis-connection.js';
import { RedisPermissionError } from './connection/redis.errors.js';
import type { DataCanary } from './data-canary.js';
import type { RedisKeys } from './redis-keys.js';
import { heartbeat } from './scripts/heartbeat.script.js';

export interface RedisHeartbeatParts {
  readonly keys: RedisKeys;
  readonly canary: Pick<DataCanary, 'raise'>;
  /** Called with whether the server refuses commands that need more memory. */
  readonly onMemory: (isFull: boolean) => void;
  /** Called with the question of a starting instance (peer-attestation.ts). */
  readonly onQuestion: (question: string) => void;
}

/** Rejects with `RedisPermissionError` if a command is refused. */
export function redisHeartbeat({
  keys,
  canary,
  onMemory,
  onQuestion,
}: RedisHeartbeatParts): Heartbeat {
  return async (client, node) => {
    const raised = canary.raise(client, node);
    // The script below reports the refused command.
    raised.catch(() => undefined);
    const { question, isFull } = await checkCommands(client, keys);
    await raised;
    onMemory(isFull);
    if (typeof question === 'string') onQuestion(question);
  };
}

/** Sends its commands at once. Rejects with `RedisPermissionError` if a command is refused. */
export async function checkCommands(
  client: Redis,
  keys: Pick<RedisKeys, 'ofHeartbeat'>,
): Promise<{ readonly question: unknown; readonly isFull: boolean }> {
  const names = keys.ofHeartbeat();
  const [, , text] = names;
  const [answer, , isFull] = await Promise.all([
    client.eval(heartbeat.source, names.length, ...names),
    // Runs the script once more, to check that scripts may also be run by their SHA-1.
    client.evalsha(heartbeat.sha1, names.length, ...names).catch(unless('NOSCRIPT')),
    // Changes nothing, and a server at its memory limit refuses it.
    client.set(text, '', 'NX').then(() => false, unless('OOM')),
  ]);
  const [question, ...refused] = answer as [unknown, ...string[]];
  if (refused.length > 0) throw new RedisPermissionError(refused);
  return { question, isFull };
}

/** Returns an error handler: `true` for a reply with the code; rethrows other errors. */
function unless(replyCode: string): (error: unknown) => true {
  return (error) => {
    if (error instanceof Error && error.message.startsWith(`${replyCode} `)) return true;
    throw error;
  };
}
