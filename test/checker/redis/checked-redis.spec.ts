/** The Redis of the checker: faults find the primary of the moment, and a client follows it over its proxies alone. */
import { afterEach, expect, it } from 'vitest';
import { Cluster, Redis } from 'ioredis';
import { tagIn } from '../../../packages/tidemark/src/redis/cluster/slots.js';
import { eventually } from '../../support/eventually.js';
import type { CheckedRedis } from './checked-redis.js';
import { ClusterRedis } from './cluster-redis.js';
import type { RedisRoute } from './redis-route.js';
import { SentinelRedis } from './sentinel-redis.js';

let redis: CheckedRedis;
let route: RedisRoute;
let client: Redis | Cluster;

afterEach(async () => {
  client?.disconnect();
  await route?.close();
  await redis?.stop();
});

it('follows the primary that Sentinels name', async () => {
  const started = await SentinelRedis.start();
  redis = started;
  route = await redis.openRoute();
  const { REDIS_SENTINELS, REDIS_SENTINEL_NAME: name = '' } = redis.envOf(route);
  const sentinels = addressesIn(REDIS_SENTINELS);
  client = new Redis({ sentinels, name, updateSentinels: false });
  await expectRouted('key');
  const first = await redis.primary();
  await started.cluster.failOver();
  await redis.isSettled();
  expect(await redis.primary()).not.toBe(first);
  await expectRouted('other');
});

it('follows a slot of a cluster, also to a node that is added', async () => {
  const started = await ClusterRedis.start();
  redis = started;
  route = await redis.openRoute();
  client = new Cluster(addressesIn(redis.envOf(route).REDIS_CLUSTER));
  const slot = await started.usersSlot();
  const key = tagIn((one) => one === slot);
  await expectRouted(key);
  const first = await redis.primary();
  const added = await started.addNode();
  await started.cluster.migrateSlot(slot, first, added);
  expect(await redis.primary()).toBe(added);
  await expectRouted(key);
  await started.cluster.migrateSlot(slot, added, first);
  await started.removeNode(added);
  await redis.isSettled();
  await expectRouted(key);
});

/** The primary of the faults has what the client writes, which is connected to a proxy of it. */
async function expectRouted(key: string): Promise<void> {
  client.on('error', () => undefined);
  await eventually(async () => {
    const value = String(Math.random());
    await client.set(key, value);
    const primary = await redis.primary();
    expect(await primary.command('GET', key)).toBe(`$${value.length}`);
    expect(portsOf(client)).toContain(route.to(primary).port);
  });
  expect(portsOf(client)).not.toContain((await redis.primary()).port);
}

function portsOf(connected: Redis | Cluster): readonly (number | undefined)[] {
  if (connected instanceof Redis) return [connected.stream.remotePort];
  return connected.nodes('all').map(({ options }) => options.port);
}

function addressesIn(list = ''): { host: string; port: number }[] {
  return list.split(',').map((address) => {
    const [host = '', port] = address.split(':');
    return { host, port: Number(port) };
  });
}
