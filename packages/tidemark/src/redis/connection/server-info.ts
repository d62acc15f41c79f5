import type { Redis } from 'ioredis';

/** What a Redis server says of itself. */
export interface ServerInfo {
  /** Identity of one run of the server process. */
  readonly runId: string;
  /** `maxmemory-policy`, as it was when asked. */
  readonly evictionPolicy: string | undefined;
  /** Why the server cannot be used as it is, in words for people; `undefined` where it can. */
  readonly unfitness: string | undefined;
}

const MIN_VERSION = 7;

/** Rejects where INFO names no `run_id`. */
export async function readServerInfo(client: Redis): Promise<ServerInfo> {
  const lines = (await client.info()).matchAll(/^(\w+):(.*)/gm);
  const facts = new Map(Array.from(lines, ([, name = '', value = '']) => [name, value]));
  const runId = facts.get('run_id');
  if (runId === undefined || runId === '') throw new Error('INFO tells no run_id');
  const unfitness = unfitnessOf(facts);
  const { db = 0 } = client.options;
  // Where the server has refused it to the client, that goes on with the database 0 of others.
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
