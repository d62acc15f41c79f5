import type { Redis } from 'ioredis';

/** The facts that a Redis server reports about itself. */
export interface ServerInfo {
  /** Identity of one run of the server process. */
  readonly runId: string;
  /** `maxmemory-policy` at the time of the query. */
  readonly evictionPolicy: string | undefined;
  /** Why the server cannot be used in its current state, in words for people; `undefined` if it can. */
  readonly unfitness: string | undefined;
}

const MIN_VERSION = 7;

/** Rejects if INFO contains no `run_id`. */
export async function readServerInfo(client: Redis): Promise<ServerInfo> {
  const lines = (await client.info()).matchAll(/^(\w+):(.*)/gm);
  const facts = new Map(Array.from(lines, ([, name = '', value = '']) => [name, value]));
  const runId = facts.get('run_id');
  if (runId === undefined || runId === '') throw new Error('INFO tells no run_id');
  const unfitness = unfitnessOf(facts);
  const { db = 0 } = client.options;
  // If the server refused SELECT, the client would continue in database 0, which belongs to others.
  if (unfitness === undefined && db !== 0) await client.select(db);
  return { runId, evictionPolicy: facts.get('maxmemory_policy'), unfitness };
}

function unfitnessOf(facts: ReadonlyMap<string, string>): string | undefined {
  const mode = facts.get('redis_mode') ?? 'standalone';
  if (mode === 'sentinel') {
    return 'the server is a Sentinel, which is not supported: name the primary itself';
  }
  if (mode !== 'standalone') {
    return `the server runs in ${mode} mode, which is not supported: use a standalone one`;
  }
  const version = facts.get('redis_version') ?? '';
  if (Number.parseInt(version, 10) < MIN_VERSION) {
    return `the server has version ${version}, which is too old: use ${MIN_VERSION} or later`;
  }
  return facts.get('role') === 'master'
    ? undefined
    : 'the server is a replica, its data may be old';
}
