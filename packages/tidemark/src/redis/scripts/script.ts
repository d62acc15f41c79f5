import { createHash } from 'node:crypto';
import { RedisCommandError } from '../connection/redis.errors.js';
import type { Answer, RedisCommands } from '../connection/redis-link.js';

/**
 * Versions and marks must be written even when `maxmemory` is reached: if they were refused, reads would continue under
 * old versions. They are small compared with the entries, which are refused then.
 *
 * @see https://redis.io/docs/latest/develop/programmability/lua-api/#script-flags (Redis 7)
 */
const ALLOW_OOM = '#!lua flags=allow-oom\n';
const NO_FLAGS = '#!lua\n';

/** A Lua script that Redis runs as one atomic step. Its keys lie in one hash slot. */
export interface Script {
  /** Used in messages. */
  readonly name: string;
  readonly source: string;
  /** Redis remembers the source under this hash. */
  readonly sha1: string;
}

/**
 * @param atMemoryLimit whether the script also runs when `maxmemory` is reached, as writes need it. A script that only
 *   helps reads is refused then, and the read bypasses the cache.
 */
export function defineScript(name: string, body: string, atMemoryLimit = true): Script {
  const source = (atMemoryLimit ? ALLOW_OOM : NO_FLAGS) + body;
  return { name, source, sha1: createHash('sha1').update(source).digest('hex') };
}

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
  connection: Pick<RedisCommands, Way>,
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
