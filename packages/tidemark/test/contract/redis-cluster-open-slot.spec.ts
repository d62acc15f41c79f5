/**
 * A primary of a Redis Cluster that starts with a dump from before a slot was moved away from it. It finds keys of the
 * slot, and opens the slot again, as if it received it.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../../../../test/support/eventually.js';
import { RedisClusterServers } from '../../../../test/support/redis-cluster-servers.js';
import type { RedisServer } from '../../../../test/support/redis-server.js';
import { bucketOf } from '../../src/redis/cluster/slots.js';
import { ClusterInstance, isAsked, ofBuckets, slotOfTable } from './cluster-harness.js';
import { Register } from './cluster-model.js';

const [TABLE = '', ...OTHERS] = ofBuckets;
const SLOT = slotOfTable(TABLE);

let cluster: RedisClusterServers;
let instances: readonly [ClusterInstance, ClusterInstance];
let register: Register;

beforeAll(async () => {
  cluster = await RedisClusterServers.start({ replicas: 0 });
  instances = [await ClusterInstance.up(cluster), await ClusterInstance.up(cluster)];
  register = new Register(TABLE);
  for (const instance of instances) register.join(instance);
});

afterAll(async () => {
  await Promise.all(instances.map((instance) => instance.close()));
  await cluster.stop();
});

const keysOn = async (server: RedisServer): Promise<readonly string[]> =>
  (await cluster.command(server, 'CLUSTER', 'GETKEYSINSLOT', String(SLOT), '1000')) as string[];

it('keeps the tables of the slot uncached, and no others, until its old keys are deleted and the slot is closed', async ({
  skip,
}) => {
  const [writer, reader] = instances;
  for (const instance of instances) await register.isCached(instance);
  const former = await cluster.primaryOf(SLOT);
  const owner = (await cluster.primaries()).find((server) => server !== former) as RedisServer;
  await former.save();
  await cluster.migrateSlot(SLOT, former, owner);
  await register.write(writer);
  for (const instance of instances) await register.isCached(instance);

  await former.restart();
  await cluster.isWhole();
  const info = String(await cluster.command(former, 'INFO', 'server'));
  skip(info.includes('valkey_version'), 'Valkey deletes such keys at its start');
  await expect(cluster.areSlotsClosed()).rejects.toThrow(`[${SLOT}-<-`);
  expect(await cluster.primaryOf(SLOT)).toBe(owner);
  for (const { stores } of instances) {
    await eventually(() =>
      expect(stores.degradation()).toBe(
        `Redis Cluster: the slot ${SLOT} is being moved: reads of its tables go to the database meanwhile`,
      ),
    );
  }
  await isAsked(cluster, former, 4);
  for (const instance of instances) {
    expect(await register.read(instance)).toBe('bypass');
    for (const other of OTHERS) expect((await instance.readOne(other))?.node).toBeDefined();
  }
  // Its old keys may come back to the owner.
  await register.write(writer);
  const moved = (await keysOn(former)).filter((key) => key.includes(TABLE));
  const target = ['127.0.0.1', String(owner.port), '', '0', '5000', 'REPLACE', 'KEYS'];
  await cluster.command(former, 'MIGRATE', ...target, ...moved);
  await register.write(writer);
  expect(await register.read(reader)).toBe('bypass');

  for (const key of await keysOn(former)) await cluster.commandAsking(former, 'DEL', key);
  await cluster.command(former, 'CLUSTER', 'SETSLOT', String(SLOT), 'STABLE');
  await cluster.areSlotsClosed();
  for (const instance of instances) await register.isCached(instance);
  await register.write(writer);
  for (const instance of instances) await register.isCached(instance);
  for (const { outages } of instances) expect(outages[bucketOf(TABLE)]).toBeGreaterThan(0);
});
