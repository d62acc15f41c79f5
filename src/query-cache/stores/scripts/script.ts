import { createHash } from 'node:crypto';

/**
 * Versions and marks must be written also when `maxmemory` is reached: where they were refused,
 * reads would go on under old versions. They are small beside the entries, which are refused then.
 * @see https://redis.io/docs/latest/develop/programmability/lua-api/#script-flags (Redis 7)
 */
const FLAGS = '#!lua flags=allow-oom\n';

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

export function defineScript(name: string, body: string): Script {
  const source = FLAGS + body;
  return { name, source, sha1: createHash('sha1').update(source).digest('hex') };
}
