import type { Redis } from 'ioredis';

/** Identity and settings of a Redis server, from its INFO. */
export interface ServerInfo {
  /** Identity of one run of the server process. */
  readonly runId: string;
  /** `maxmemory-policy` at the time of the query. */
  readonly evictionPolicy: string | undefined;
  /** Why the server cannot be used in its current state, in words for people; `undefined` if it can. */
  readonly unfitness: string | undefined;
}

/** A server alone, behind Sentinels or not; or a node of a cluster. */
export type ServerMode = 'standalone' | 'cluster';

const MIN_VERSION = 7;

/** Rejects if INFO contains no `run_id`. */
export async function readServerInfo(client: Redis, expected: ServerMode): Promise<ServerInfo> {
  const lines = (await client.info()).matchAll(/^(\w+):(.*)/gm);
  const fields = new Map(Array.from(lines, ([, name = '', value = '']) => [name, value]));
  const runId = fields.get('run_id');
  if (runId === undefined || runId === '') {
    throw new Error(
      'the server gives no run_id in INFO, so another one could take its place unnoticed: use a Redis or Valkey that does',
    );
  }
  const unfitness = unfitnessOf(fields, expected);
  const { db = 0 } = client.options;
  // If the server refused SELECT, the client would continue in database 0, which belongs to others.
  if (unfitness === undefined && db !== 0) await client.select(db);
  return { runId, evictionPolicy: fields.get('maxmemory_policy'), unfitness };
}

function unfitnessOf(
  fields: ReadonlyMap<string, string>,
  expected: ServerMode,
): string | undefined {
  // Valkey has another name for the field.
  const mode = fields.get('redis_mode') ?? fields.get('server_mode') ?? 'standalone';
  if (mode === 'sentinel') {
    return 'the server is a Sentinel: give its address among `sentinels`, with the `name` of the primary';
  }
  if (mode !== expected) {
    return expected === 'standalone'
      ? `the server runs in ${mode} mode: give its address in \`redis.cluster\` (REDIS_CLUSTER)`
      : `the server runs in ${mode} mode: give its address in \`redis.url\` (REDIS_URL), or those of a cluster`;
  }
  const version = fields.get('redis_version') ?? '';
  if (Number.parseInt(version, 10) < MIN_VERSION) {
    return `the server has version ${version}, which is too old: use ${MIN_VERSION} or later`;
  }
  return fields.get('role') === 'master'
    ? undefined
    : 'the server is a replica, its data may be old';
}
