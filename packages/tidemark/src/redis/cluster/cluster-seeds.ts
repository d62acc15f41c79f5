/** How a process finds the nodes of a cluster before it is connected to any of them. */
import type { RedisOptions } from 'ioredis';
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { signInWith, type CredentialsSource } from '../connection/credentials.js';
import { withDeadline } from '../connection/deadline.js';
import { describeEndpoint, type NodeEndpoint } from '../connection/node-address.js';
import { isOfServer } from '../connection/outage-state.js';
import { createRedisClient } from '../connection/redis-client.factory.js';
import { textOf } from '../connection/redis.errors.js';
import { withServerName } from '../connection/server-name.js';
import { askForView, type ClusterView, type NatMap } from './cluster-view.js';

/** Where a cluster is, and how its nodes are reached. */
export interface ClusterTarget {
  /** Some nodes, or names behind which several of them are. */
  readonly seeds: readonly NodeEndpoint[];
  /** User, password and TLS of all nodes. */
  readonly nodeOptions: RedisOptions;
  /** Instead of user and password. */
  readonly credentials?: CredentialsSource | undefined;
  readonly natMap?: NatMap | undefined;
}

/** The addresses without user and password, for logs. */
export function describeCluster({ seeds }: ClusterTarget): string {
  return `the cluster of ${seeds.map(describeEndpoint).toSorted().join(', ')}`;
}

/** Why a seed has no view. */
interface Problem {
  readonly seed: NodeEndpoint;
  readonly reason: string;
}

/**
 * Asks all nodes at once, each within the time limit. Resolves to the views of those that answer. Rejects if none does.
 * The message is the first reason that a server gives, which the log then has even after other ones; else it has the
 * reason of each node. It has no user and no password.
 */
export async function askSeeds(target: ClusterTarget, limitMs: number): Promise<ClusterView[]> {
  const answers = await Promise.all(target.seeds.map((seed) => askBehind(seed, target, limitMs)));
  const views = answers.flat().filter((answer) => 'ranges' in answer);
  if (views.length > 0) return views;
  const problems = answers.flat().filter((answer) => 'reason' in answer);
  const given = problems.find(({ reason }) => isOfServer(reason));
  if (given) throw new Error(given.reason);
  const all = problems.map(({ seed, reason }) => `${describeEndpoint(seed)}: ${reason}`);
  throw new Error(`no node answers (${all.join('; ')})`);
}

/** The view of each node behind the name, or why there is none. */
async function askBehind(
  seed: NodeEndpoint,
  target: ClusterTarget,
  limitMs: number,
): Promise<readonly (ClusterView | Problem)[]> {
  const problem = (error: unknown): Problem => ({ seed, reason: reasonOf(error) });
  try {
    const hosts = await withDeadline(hostsBehind(seed.host), limitMs, 'a name');
    const asked = hosts.map((host) => ask({ ...seed, host }, seed.host, target, limitMs));
    return await Promise.all(asked.map((answer) => answer.catch(problem)));
  } catch (error) {
    return [problem(error)];
  }
}

/** A name with one address stays: a certificate may have the name alone. */
async function hostsBehind(host: string): Promise<readonly string[]> {
  if (isIP(host)) return [host];
  const addresses = await lookup(host, { all: true });
  return addresses.length > 1 ? addresses.map(({ address }) => address) : [host];
}

async function ask(
  endpoint: NodeEndpoint,
  name: string,
  { nodeOptions, credentials, natMap }: ClusterTarget,
  limitMs: number,
): Promise<ClusterView> {
  const { tls } = nodeOptions;
  const ofCluster = { ...nodeOptions, ...(tls ? { tls: withServerName(name, tls) } : {}) };
  const client = createRedisClient({ ...endpoint, ofCluster, timeoutMs: limitMs });
  let trouble: unknown;
  client.on('error', (error: unknown) => (trouble = error));
  try {
    if (credentials) await signInWith(credentials, client, limitMs);
    const answer = client.connect().then(() => askForView(client, endpoint, natMap));
    return await withDeadline(answer, limitMs, 'CLUSTER SLOTS');
  } catch (error) {
    // The client's rejection has less detail than its error event.
    throw trouble ?? error;
  } finally {
    client.disconnect();
  }
}

function reasonOf(error: unknown): string {
  const text = textOf(error);
  return text.includes('cluster support disabled')
    ? 'the server is no node of a cluster: give its address in `redis.url` (REDIS_URL)'
    : text;
}
