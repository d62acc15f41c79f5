/** The contracts of the stores over a Redis Cluster of three primaries, with one connection of a process each. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { RedisClusterServers } from '../../../../test/support/redis-cluster-servers.js';
import { inBucket } from '../../src/core/buckets.js';

import { slotOf } from '../../src/redis/cluster/slots.js';
import { ClusterInstance, ofBuckets } from './cluster-harness.js';
import { fillLockContract } from './fill-lock.contract.js';
import { freshNamespace, pass } from './redis-harness.js';
import { versionStoreContract } from './version-store.contract.js';

let cluster: RedisClusterServers;
let instances: ClusterInstance[] = [];

beforeAll(async () => {
  cluster = await RedisClusterServers.start({ replicas: 0 });
});

afterEach(async () => {
  await Promise.all(instances.map((instance) => instance.close()));
  instances = [];
});

afterAll(() => cluster.stop());

async function open(namespace = freshNamespace()): Promise<ClusterInstance> {
  const instance = await ClusterInstance.up(cluster, { namespace });
  instances.push(instance);
  return instance;
}

describe('the store of versions over a cluster', () => {
  versionStoreContract(async () => {
    const instance = await ClusterInstance.up(cluster, { namespace: freshNamespace() });
    return { store: instance.versions, pass, close: () => instance.close() };
  });

  it('reads tables of all buckets in their order, with all of what concerns all tables', async () => {
    const { versions } = await open();
    const tables = [...ofBuckets, ...ofBuckets.map((_, bucket) => inBucket('#schema', bucket))];
    const wanted = tables.map((table) => ({ table, names: ['*'] }));
    for (const [index, { table, names }] of wanted.entries()) {
      await versions.rotate(table, undefined, `e${index}`);
      await versions.create({ table, names }, `t${index}`);
    }
    const readings = await versions.read(wanted);
    expect(readings.map(({ table }) => table)).toEqual(tables);
    expect(readings.map((reading) => reading.versions)).toEqual(
      tables.map((_, index) => [`t${index}`]),
    );
    expect(new Set(readings.map(({ node }) => node)).size).toBe(3);
  });

  it('gives calls of one turn with the same list one promise, in one bucket and in several', async () => {
    const { versions } = await open();
    for (const tables of [ofBuckets.slice(0, 1), ofBuckets.slice(0, 4)]) {
      const wanted = tables.map((table) => ({ table, names: ['*'] }));
      const [first, second] = [versions.read(wanted), versions.read(wanted)];
      expect(second).toBe(first);
      await first;
      const third = versions.read(wanted);
      expect(third).not.toBe(first);
      await third;
    }
  });

  it('begins, ends and gives up writes in several buckets', async () => {
    const { versions } = await open();
    const names = ['*'];
    const tables = ofBuckets.map((table) => ({ table, names }));
    for (const { table } of tables) {
      await versions.rotate(table, undefined, 'e1');
      await versions.create({ table, names }, 't1');
    }
    await versions.begin({ writeId: 'w1', backendPid: 1, tables }, 't2', 60_000);
    const begun = await versions.read(tables);
    expect(new Set(begun.flatMap((reading) => reading.versions))).toEqual(new Set(['t2!w1']));
    await versions.abort('w1', ofBuckets.slice(0, 8));
    await versions.end('w1', ofBuckets.slice(8), 't3');
    const ended = await versions.read(tables);
    expect(ended.flatMap((reading) => reading.versions)).toEqual(
      ofBuckets.map((_, bucket) => (bucket < 8 ? 't2' : 't3')),
    );
  });

  it('keeps all keys of a bucket in one slot, and the tables of all', async () => {
    const namespace = freshNamespace();
    const instance = await open(namespace);
    for (const table of ofBuckets) await instance.settle(table, 'e1');
    expect((await instance.versions.tables()).toSorted()).toEqual(ofBuckets.toSorted());
    const slots = new Set<number>();
    for (const server of await cluster.primaries()) {
      const keys = (await cluster.command(server, 'KEYS', `${namespace}:*`)) as string[];
      for (const key of keys) slots.add(slotOf(key));
    }
    // Each node checks its permissions in one of its slots, which may be another one.
    expect(slots.size).toBeLessThanOrEqual(16 + 3);
  });
});

describe('the fill lock over a cluster', () => {
  fillLockContract(async () => {
    const instance = await ClusterInstance.up(cluster, { namespace: freshNamespace() });
    return { lock: instance.stores.fillLock, pass, close: () => instance.close() };
  });
});

describe('the entries over a cluster', () => {
  it('are stored on all nodes, and found by another instance', async () => {
    const namespace = freshNamespace();
    const [one, other] = [await open(namespace), await open(namespace)];
    const keys = Array.from({ length: 30 }, (_, number) => `key-${number}`);
    const entry = {
      stamp: 's',
      body: Buffer.from('[1]'),
      empty: false,
      tag: 't',
      createdAtMs: Date.now(),
      expiresAtMs: Date.now() + 60_000,
      headers: {},
    };
    await Promise.all(keys.map((key) => one.stores.entries.set(key, entry)));
    for (const key of keys) expect(await other.stores.entries.get(key)).toEqual(entry);
    expect(await other.stores.entries.get('another')).toBeUndefined();
    for (const server of await cluster.primaries()) {
      const found = (await cluster.command(server, 'KEYS', `${namespace}:e:*`)) as string[];
      expect(found.length).toBeGreaterThan(0);
    }
  });
});
