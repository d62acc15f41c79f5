/** Nodes of a Redis Cluster that go down, are replaced, come and go: each concerns its own buckets. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  documentedAclRules,
  documentedClusterRules,
  PASSWORD,
  USER,
} from '../../../../test/support/documented-acl.js';
import { eventually } from '../../../../test/support/eventually.js';
import { RedisClusterServers } from '../../../../test/support/redis-cluster-servers.js';
import type { RedisServer } from '../../../../test/support/redis-server.js';
import { SlotMigration } from '../../../../test/support/slot-migration.js';
import { RedisCluster } from '../../src/redis/cluster/redis-cluster.js';
import { RedisKeys } from '../../src/redis/redis-keys.js';
import { bucketOf, tagOfBucket } from '../../src/redis/cluster/slots.js';
import {
  bucketsOn,
  ClusterInstance,
  ofBuckets,
  slotOfTable,
  timesAsked,
} from './cluster-harness.js';
import { Register } from './cluster-model.js';
import { LogBook } from './redis-harness.js';

const TIMEOUT_MS = 1_000;
const LONG_MS = 60_000;

let cluster: RedisClusterServers;
let instance: ClusterInstance;
/** The primary of the first bucket. */
let first: RedisServer;
let buckets: readonly number[];

async function setUp(replicas: number): Promise<void> {
  cluster = await RedisClusterServers.start({ replicas });
  instance = await ClusterInstance.up(cluster, { timeoutMs: TIMEOUT_MS });
  first = await cluster.primaryOf(slotOfTable(ofBuckets[0] ?? ''));
  buckets = await bucketsOn(cluster, first.port);
}

afterEach(async () => {
  await instance.close();
  await cluster.stop();
});

const others = () => [...ofBuckets.keys()].filter((bucket) => !buckets.includes(bucket));
const outagesOf = (which: readonly number[]) =>
  which.map((bucket) => instance.outages[bucket] ?? 0);

/** Those that can be read at this moment. */
async function readable(): Promise<readonly number[]> {
  const answers = await Promise.allSettled(ofBuckets.map((table) => instance.readOne(table)));
  return [...answers.keys()].filter((bucket) => answers[bucket]?.status === 'fulfilled');
}

const begin = (table: string) =>
  instance.versions.begin(
    { writeId: 'w1', backendPid: 1, tables: [{ table, names: ['*'] }] },
    'token',
    LONG_MS,
  );

describe('a cluster with replicas', () => {
  beforeEach(() => setUp(1));

  it('loses the buckets of a killed primary alone, until its replica has taken over', async () => {
    await first.kill();
    await eventually(async () => expect(await readable()).toEqual(others()));
    expect(instance.stores.degradation()).toMatch(
      /^Redis Cluster: the node of slots \d+-\d+ is not available: reads of its tables go to the database$/,
    );
    await expect(begin(ofBuckets[buckets[0] ?? 0] ?? '')).rejects.toThrow(/not available/);
    await instance.isUp();
    await eventually(() => expect(instance.stores.degradation()).toBeUndefined());
    expect(outagesOf(buckets).every((count) => count > 0)).toBe(true);
    expect(outagesOf(others()).every((count) => count === 0)).toBe(true);
    const lines = instance.log.lines.filter((line) => line.includes(`:${first.port} is not`));
    expect(lines).toHaveLength(1);
    // The killed one comes back as a replica.
    await first.restart();
    await cluster.isWhole();
    expect(await readable()).toHaveLength(16);
    expect(outagesOf(others()).every((count) => count === 0)).toBe(true);
  });

  it('counts an outage of its buckets when a replica takes over in peace', async () => {
    const register = new Register(ofBuckets[buckets[0] ?? 0] ?? '');
    register.join(instance);
    await register.isCached(instance);
    await cluster.failOver(await cluster.replicaOf(first));
    await eventually(() => expect(outagesOf(buckets).every((count) => count > 0)).toBe(true));
    await instance.isUp();
    expect(outagesOf(others()).every((count) => count === 0)).toBe(true);
    await eventually(() => register.write(instance));
    await register.isCached(instance);
  });

  it('leaves a primary that others have replaced, and that does not know it', async () => {
    const replica = await cluster.replicaOf(first);
    first.pause();
    await cluster.command(replica, 'CLUSTER', 'FAILOVER', 'TAKEOVER');
    await eventually(async () => expect(await readable()).toHaveLength(16), 60_000);
    const reading = await instance.readOne(ofBuckets[buckets[0] ?? 0] ?? '');
    const info = String(await cluster.command(replica, 'INFO', 'server'));
    expect(info).toContain(`run_id:${reading?.node}`);
    first.resume();
    await eventually(() => cluster.hasFollowed(first), 60_000);
    await cluster.isWhole();
    expect(await readable()).toHaveLength(16);
  });

  it('is used again after all of it was away, by whichever nodes then are primaries', async () => {
    await Promise.all(cluster.servers.map((server) => server.kill()));
    await eventually(async () => expect(await readable()).toEqual([]));
    await Promise.all(cluster.servers.map((server) => server.restart({ keepPort: true })));
    await cluster.isWhole();
    await instance.isUp();
    expect(outagesOf([...ofBuckets.keys()]).every((count) => count > 0)).toBe(true);
    await eventually(() => expect(instance.stores.degradation()).toBeUndefined());
  });
});

describe('a cluster with a primary without slots', () => {
  it('finds the new primaries when all others are replaced while it receives a slot', async () => {
    await setUp(1);
    const [table = '', other = ''] = [ofBuckets[buckets[0] ?? 0], ofBuckets[others()[0] ?? 0]];
    const slot = slotOfTable(table);
    const keys = new RedisKeys('tidemark', 'db', tagOfBucket(bucketOf(table)));
    const primaries = await cluster.primaries();
    const replicas = await Promise.all(primaries.map((primary) => cluster.replicaOf(primary)));
    const receiver = await cluster.addNode();
    await instance.settle(table, 'e1');
    await new SlotMigration(cluster, slot, first, receiver).begin();
    const target = ['127.0.0.1', String(receiver.port), keys.epoch(table), '0', '5000'];
    await cluster.command(first, 'MIGRATE', ...target);
    await begin(table);
    await Promise.all(primaries.map((primary) => primary.kill()));
    for (const replica of replicas) {
      await eventually(() => cluster.command(replica, 'CLUSTER', 'FAILOVER', 'TAKEOVER'));
    }
    await eventually(() => instance.readOne(other), 60_000);
  });
});

describe('a cluster without replicas', () => {
  beforeEach(() => setUp(0));

  it('starts before its nodes, and says why it waits', async () => {
    await Promise.all(cluster.servers.map((server) => server.kill()));
    const late = new ClusterInstance(cluster, { timeoutMs: TIMEOUT_MS });
    try {
      await late.stores.ready();
      expect(late.stores.degradation()).toBe(
        'Redis Cluster is not available: reads go to the database',
      );
      expect(late.log.lines.join()).toMatch(/the cluster of .* is not available .*ECONNREFUSED/);
      await expect(late.readOne('public.users')).rejects.toThrow(/not available/);
      await Promise.all(cluster.servers.map((server) => server.restart()));
      await late.isUp();
      const ofCluster = late.log.lines.filter((line) => line.includes('the cluster of'));
      expect(ofCluster).toHaveLength(2);
    } finally {
      await late.close();
    }
  });

  it('uses a node that was added, and forgets one that was removed', async () => {
    const added = await cluster.addNode();
    const slot = slotOfTable(ofBuckets[0] ?? '');
    await cluster.migrateSlot(slot, first, added);
    await eventually(async () => {
      const reading = await instance.readOne(ofBuckets[0] ?? '');
      const info = String(await cluster.command(added, 'INFO', 'server'));
      expect(info).toContain(`run_id:${reading?.node}`);
    });
    await cluster.migrateSlot(slot, added, first);
    await instance.isUp();
    expect(outagesOf(others()).every((count) => count === 0)).toBe(true);
    expect(instance.log.lines).toEqual([]);
    const id = await cluster.idOf(added);
    for (const server of cluster.servers) {
      if (server !== added) await cluster.command(server, 'CLUSTER', 'FORGET', id);
    }
    await eventually(async () => {
      const clients = String(await cluster.command(added, 'CLIENT', 'LIST'));
      expect(clients).not.toContain('name=tidemark:');
    });
  });

  it('loses the slots alone that no node serves, and logs them once', async () => {
    const slot = slotOfTable(ofBuckets[0] ?? '');
    for (const server of cluster.servers) {
      await cluster.command(server, 'CLUSTER', 'DELSLOTS', String(slot));
    }
    await eventually(async () => expect(await readable()).toEqual([...ofBuckets.keys()].slice(1)));
    await eventually(() => {
      expect(instance.stores.degradation()).toBe(
        `Redis Cluster: no node serves the slot ${slot}: reads of its tables go to the database`,
      );
    });
    await eventually(() => expect(instance.log.lines).toHaveLength(1));
    await cluster.command(first, 'CLUSTER', 'ADDSLOTS', String(slot));
    await cluster.isWhole();
    await instance.isUp();
    await eventually(() => expect(instance.stores.degradation()).toBeUndefined());
    expect(outagesOf([...ofBuckets.keys()]).map((count) => count > 0)).toEqual(
      [...ofBuckets.keys()].map((bucket) => bucket === 0),
    );
    expect(instance.log.lines.map((line) => line.slice(0, 30))).toEqual([
      'warn No node of the Redis Clus',
      'log All slots of the Redis Clu',
    ]);
  });

  it('names a slot that its node does not serve, although the others say that it does', async () => {
    const slot = slotOfTable(ofBuckets[0] ?? '');
    await cluster.command(first, 'CLUSTER', 'DELSLOTS', String(slot));
    await eventually(() => {
      expect(instance.stores.degradation()).toBe(
        `Redis Cluster: the slot ${slot} cannot be used on its node: reads of its tables go to the database`,
      );
    });
    await cluster.command(first, 'CLUSTER', 'ADDSLOTS', String(slot));
    await eventually(() => expect(instance.stores.degradation()).toBeUndefined());
  });

  it('names a command that the user of the nodes lacks, and needs no other than documented', async () => {
    for (const server of cluster.servers) {
      const rules = [...documentedAclRules(), ...documentedClusterRules()];
      await cluster.command(server, 'ACL', 'SETUSER', USER, ...rules);
    }
    const nodeOptions = { username: USER, password: PASSWORD };
    const user = await ClusterInstance.up(cluster, { target: { nodeOptions } });
    try {
      expect(user.log.lines).toEqual([]);
      for (const rule of documentedClusterRules()) {
        await cluster.command(first, 'ACL', 'SETUSER', USER, rule.replace('+', '-'));
        const command = rule.slice(1);
        await eventually(() => {
          expect(user.stores.degradation()?.toLowerCase()).toMatch(
            new RegExp(`slots \\d+-\\d+ is not available .*${command.replace('|', '\\|')}`),
          );
        });
        await cluster.command(first, 'ACL', 'SETUSER', USER, rule);
        await eventually(() => expect(user.stores.degradation()).toBeUndefined());
      }
    } finally {
      await user.close();
    }
  });

  it('asks its nodes at intervals, and neither asks nor reaches them after it was closed meanwhile', async () => {
    await instance.close();
    const closed = new RedisCluster({
      target: { seeds: cluster.addresses, nodeOptions: {} },
      timeoutMs: TIMEOUT_MS,
      connectionName: 'tidemark:closed',
      log: new LogBook(),
      heartbeat: () => Promise.resolve(),
      onOutOfMemory: () => undefined,
    });
    closed.open([]);
    await eventually(() => expect(closed.nodes.filter(({ isUp }) => isUp)).toHaveLength(3));
    const startMs = performance.now();
    for (let round = 0; round < 5; round += 1) await closed.refresh();
    expect(performance.now() - startMs).toBeGreaterThan(4 * 50 - 10);
    await Promise.all([closed.refresh(), closed.refresh(), closed.close()]);
    const before = await timesAsked(cluster, first);
    await closed.refresh();
    expect(await timesAsked(cluster, first)).toBe(before);
    await eventually(async () => {
      const clients = String(await cluster.command(first, 'CLIENT', 'LIST'));
      expect(clients.trim().split('\n')).toHaveLength(1);
    });
  });

  it('reaches its nodes by the addresses of a map', async () => {
    const natMap = (address: string) => {
      const [, port] = address.split(':');
      return { host: 'localhost', port: Number(port) };
    };
    const mapped = await ClusterInstance.up(cluster, { target: { natMap } });
    try {
      expect(mapped.log.lines).toEqual([]);
      await first.kill();
      await eventually(() => expect(mapped.log.lines.join()).toContain(`localhost:${first.port}`));
    } finally {
      await mapped.close();
    }
  });
});
