/** The heartbeat of the connection to Redis: whether the cache can do there all that it needs. */
import type { Heartbeat } from './connection/redis-connection.js';
import { RedisPermissionError } from './connection/redis.errors.js';
import type { DataCanary } from './data-canary.js';
import type { RedisKeys } from './redis-keys.js';
import { heartbeat } from './scripts/heartbeat.script.js';

export interface RedisHeartbeatParts {
  readonly keys: RedisKeys;
  readonly canary: Pick<DataCanary, 'raise'>;
  /** Gets whether the server refuses what needs more memory. */
  readonly onMemory: (isFull: boolean) => void;
  /** Gets the question of an instance that has begun (peer-attestation.ts). */
  readonly onQuestion: (question: string) => void;
}

/** Rejects with `RedisPermissionError` where a command is refused. */
export function redisHeartbeat({
  keys,
  canary,
  onMemory,
  onQuestion,
}: RedisHeartbeatParts): Heartbeat {
  const names = keys.ofHeartbeat();
  const [, , text] = names;
  return async (client, node) => {
    const raised = canary.raise(client, node);
    // The script below names the command that is refused.
    raised.catch(() => undefined);
    const [answer, , isFull] = await Promise.all([
      client.eval(heartbeat.source, names.length, ...names),
      // The same again, to know that scripts may be run by their SHA-1 too.
      client.evalsha(heartbeat.sha1, names.length, ...names).catch(unless('NOSCRIPT')),
      // Changes nothing, and is refused by a server at its memory limit.
      client.set(text, '', 'NX').then(() => false, unless('OOM')),
    ]);
    const [question, ...refused] = answer as [unknown, ...string[]];
    if (refused.length > 0) throw new RedisPermissionError(refused);
    await raised;
    onMemory(isFull);
    if (typeof question === 'string') onQuestion(question);
  };
}

/** Answers `true` for a reply with the code, and rethrows other errors. */
function unless(replyCode: string): (error: unknown) => true {
  return (error) => {
    if (error instanceof Error && error.message.startsWith(`${replyCode} `)) return true;
    throw error;
  };
}
