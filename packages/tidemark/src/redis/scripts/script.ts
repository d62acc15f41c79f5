import { createHash } from 'node:crypto';

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
