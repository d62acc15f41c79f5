import type { Redis } from 'ioredis';

/** What a Redis server says of itself. */
export interface ServerFacts {
  /** Identity of one run of the server process. */
  readonly runId: string;
  readonly isPrimary: boolean;
  /** `maxmemory-policy`, as it was when asked. */
  readonly evictionPolicy: string | undefined;
}

/** Asks the server behind the client's present connection. Rejects where INFO tells no `run_id`. */
export async function readServerFacts(client: Redis): Promise<ServerFacts> {
  // Three commands, because servers before 7.0 take one section at a time.
  const sections = await Promise.all([
    client.info('server'),
    client.info('replication'),
    client.info('memory'),
  ]);
  const facts = parseInfo(sections.join('\r\n'));
  const runId = facts.get('run_id');
  if (runId === undefined || runId === '') throw new Error('INFO tells no run_id');
  return {
    runId,
    isPrimary: facts.get('role') === 'master',
    evictionPolicy: facts.get('maxmemory_policy'),
  };
}

function parseInfo(text: string): ReadonlyMap<string, string> {
  const facts = new Map<string, string>();
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) facts.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return facts;
}
