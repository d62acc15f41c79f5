import { RedisCommandError } from './connection/redis.errors.js';
import type { Answer, RedisConnection } from './connection/redis-connection.js';
import type { Script } from './scripts/script.js';

/**
 * `sendAfterReconnect`: if the connection is down, it is tried once more before the script fails. If the connection
 * breaks, the script is run once more, so it may run twice.
 */
export type Way = 'send' | 'sendAfterReconnect';

/**
 * Runs a script by its SHA-1, or by its source if Redis does not know it. Rejects as the connection does, with errors
 * that name the script.
 */
export async function runScript(
  connection: RedisConnection,
  script: Script,
  keys: readonly string[],
  args: readonly string[],
  way: Way = 'send',
): Promise<Answer<unknown>> {
  const name = `script ${script.name}`;
  const rest = [keys.length, ...keys, ...args] as const;
  try {
    return await connection[way](name, (client) => client.evalsha(script.sha1, ...rest));
  } catch (error) {
    if (!(error instanceof RedisCommandError) || error.replyCode !== 'NOSCRIPT') throw error;
  }
  return connection[way](name, (client) => client.eval(script.source, ...rest));
}
