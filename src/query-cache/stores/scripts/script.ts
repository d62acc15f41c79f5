import { createHash } from 'node:crypto';

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

export function defineScript(name: string, source: string): Script {
  return { name, source, sha1: createHash('sha1').update(source).digest('hex') };
}
