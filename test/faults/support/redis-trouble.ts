/** Queries of specs about Redis to Redis itself and to the instances. */
import { expect } from 'vitest';
import { Redis } from 'ioredis';
import { eventually } from '../../support/eventually.js';
import type { RedisServer } from '../../support/redis-server.js';
import type { FaultCluster } from './fault-cluster.js';
import type { Member } from './member.js';

/** Calls `work` with a separate connection, past the proxies. */
export async function withRedis<T>(
  server: RedisServer,
  work: (client: Redis) => Promise<T>,
  password?: string,
): Promise<T> {
  const login = password === undefined ? {} : { password };
  const client = new Redis(server.port, '127.0.0.1', { lazyConnect: true, ...login });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await work(client);
  } finally {
    client.disconnect();
  }
}

/** Sends one command past the proxies. */
export function redisCommand(server: RedisServer, ...words: readonly [string, ...string[]]) {
  const [name, ...rest] = words;
  return withRedis(server, (client) => client.call(name, ...rest));
}

/** One field of INFO. */
export function infoOf(server: RedisServer, field: string): Promise<string> {
  return withRedis(server, async (client) => {
    const found = new RegExp(`^${field}:(.*?)\r?$`, 'm').exec(await client.info('everything'));
    if (!found) throw new Error(`INFO has no ${field}`);
    return found[1] ?? '';
  });
}

/** The key that lies in the data of the users, such as `v:*`; packages/tidemark/src/redis/redis-keys.ts names the keys. */
export async function keyOfUsers(server: RedisServer, name: string): Promise<string> {
  const keys = await withRedis(server, (client) => client.keys('tidemark:*:{public.users}:e'));
  return `${keys[0]?.slice(0, -1)}${name}`;
}

/** Every running instance reports that its cache is degraded, with the reason. */
export async function allDegraded(cluster: FaultCluster, why: RegExp): Promise<void> {
  await Promise.all(cluster.running.map((member) => degraded(member, why)));
}

/** Every running instance reports that Redis is not available, and its log of the test has the reason. */
export async function allWithoutRedis(cluster: FaultCluster, why: RegExp): Promise<void> {
  await allDegraded(cluster, /Redis is not available/);
  for (const member of cluster.running) {
    await eventually(() => expect(member.log).toMatch(why));
  }
}

/** Still ready: a degraded cache costs speed, never correctness. */
export async function degraded(member: Member, why: RegExp): Promise<void> {
  await eventually(async () => {
    const { status, body } = await member.get('/health/ready');
    const text = body.toString();
    expect(text).toContain('"status":"degraded"');
    expect(text).toMatch(why);
    expect(status).toBe(200);
  });
}

/** Every running instance has Redis again; it may still report that it waits for a transaction. */
export async function allWithRedis(cluster: FaultCluster): Promise<void> {
  for (const member of cluster.running) {
    await eventually(async () => {
      const { body } = await member.get('/health/ready');
      expect(body.toString()).not.toMatch(/Redis is not available/);
    });
  }
}

/** Every running instance reports `ok`. */
export async function allWell(cluster: FaultCluster): Promise<void> {
  for (const member of cluster.running) {
    // The whole answer, which has the reason if it is not `ok`.
    await eventually(async () => {
      const { body } = await member.get('/health/ready');
      expect(body.toString()).toMatch(/^\{"status":"ok"/);
    });
  }
}

/** The number of replaced epochs, by any of the instances. */
export async function replacedEpochs(cluster: FaultCluster, labels = ''): Promise<number> {
  const counts = cluster.running.map((member) => counted(member, 'epochs_replaced_total', labels));
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

/** The value of a counter on one instance, over all its labels that match. */
export async function counted(member: Member, name: string, labels = ''): Promise<number> {
  const { body } = await member.get('/metrics');
  return body
    .toString()
    .split('\n')
    .filter((line) => line.startsWith(`tidemark_cache_${name}`) && line.includes(labels))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}
