import { createHash } from 'node:crypto';

/**
 * Versions and marks must be written also when `maxmemory` is reached: where they were refused,
 * reads would go on under old versions. They are small beside the entries, which are refused then.
 * @see https://redis.io/docs/latest/develop/programmability/lua-api/#script-flags (Redis 7)
 */
const ALLOW_OOM = '#!lua flags=allow-oom\n';
const NO_FLAGS = '#!lua\n';

/**
 * A Lua script that Redis runs as one atomic step. Each touches the keys of one table only, all
 * in one hash slot; what it writes is replicated as effects (Redis 5 and later), so it may ask
 * Redis for the time.
 */
export interface Script {
  /** For messages and metrics. */
  readonly name: string;
  readonly source: string;
  /** By this Redis remembers the source. */
  readonly sha1: string;
}

/**
 * @param atMemoryLimit whether it runs also when `maxmemory` is reached: what a write needs does;
 *   what only a read would gain by is refused, and the read goes past the cache.
 */
export function defineScript(name: string, body: string, atMemoryLimit = true): Script {
  const source = (atMemoryLimit ? ALLOW_OOM : NO_FLAGS) + body;
  return { name, source, sha1: createHash('sha1').update(source).digest('hex') };
}
