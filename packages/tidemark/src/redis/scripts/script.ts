import { createHash } from 'node:crypto';

/**
 * Versions and marks must be written also when `maxmemory` is reached: where they were refused,
 * reads would go on under old versions. They are small beside the entries, which are refused then.
 * @see https://redis.io/docs/latest/develop/programmability/lua-api/#script-flags (Redis 7)
 */
const ALLOW_OOM = '#!lua flags=allow-oom\n';
const NO_FLAGS = '#!lua\n';

/** A Lua script that Redis runs as one atomic step. Its keys lie in one hash slot. */
export interface Script {
  /** For messages. */
  readonly name: string;
  readonly source: string;
  /** By this Redis remembers the source. */
  readonly sha1: string;
}

/**
 * @param atMemoryLimit whether the script runs also when `maxmemory` is reached, as writes need it. A script from
 *   which only reads gain is refused, and the read goes past the cache.
 */
export function defineScript(name: string, body: string, atMemoryLimit = true): Script {
  const source = (atMemoryLimit ? ALLOW_OOM : NO_FLAGS) + body;
  return { name, source, sha1: createHash('sha1').update(source).digest('hex') };
}
