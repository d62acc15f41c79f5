/** The Redis Cluster that other tests run on. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RedisClusterServers } from '../support/redis-cluster-servers.js';
import { SlotMigration } from '../support/slot-migration.js';

/** One in each third of the slots. */
const KEYS = ['b', 'c', 'a'];

describe('three primaries with a replica each', () => {
  let cluster: RedisClusterServers;

  beforeAll(async () => {
    cluster = await RedisClusterServers.start();
  });
  afterAll(async () => {
    await cluster?.stop();
  });

  async function get(key: string): Promise<unknown> {
    return cluster.command(await cluster.primaryOf(key), 'GET', key);
  }

  it('hold a key each, which a replica has too', async () => {
    for (const [index, key] of KEYS.entries()) {
      const primary = await cluster.primaryOf(key);
      expect(primary).toBe(cluster.servers[index]);
      await cluster.command(primary, 'SET', key, `of ${key}`);
      expect(await cluster.command(primary, 'WAIT', '1', '10000')).toBe(1);
      expect(await cluster.command(await cluster.replicaOf(primary), 'DBSIZE')).toBe(1);
    }
    const [first] = cluster.servers;
    await expect(cluster.command(first!, 'GET', 'a')).rejects.toThrow(/^MOVED 15495 /);
  });

  it('are replaced on request, and when they are killed', async () => {
    const first = await cluster.primaryOf('b');
    const replica = await cluster.replicaOf(first);
    await cluster.failOver(replica);
    expect(await cluster.primaryOf('b')).toBe(replica);
    expect(await get('b')).toBe('of b');
    expect(await cluster.replicaOf(replica)).toBe(first);
    await cluster.hasFollowed(first);

    await replica.kill();
    await cluster.isPrimary(first);
    expect(await get('b')).toBe('of b');
    await replica.restart();
    await cluster.isWhole();
    await cluster.hasFollowed(replica);

    await cluster.failOver(replica, 'takeover');
    expect(await cluster.primaryOf('b')).toBe(replica);
  });

  it('hand a slot with its keys to another one, also to a node that joins later', async () => {
    const slot = await cluster.slotOf('c');
    const from = await cluster.primaryOf('c');
    const to = await cluster.addNode();
    await cluster.migrateSlot(slot, from, to);
    expect(await cluster.primaryOf('c')).toBe(to);
    expect(await get('c')).toBe('of c');
    await expect(cluster.command(from, 'GET', 'c')).rejects.toThrow(/^MOVED /);

    await expect(cluster.removeNode(to)).rejects.toThrow(/Move the slots/);
    await cluster.migrateSlot(slot, to, from);
    await cluster.removeNode(to);
    await cluster.isWhole();
    expect(await get('c')).toBe('of c');
    expect(cluster.servers).toHaveLength(6);
  });

  it('give keys back to the former owner when a move is aborted', async () => {
    const slot = await cluster.slotOf('c');
    const from = await cluster.primaryOf('c');
    const to = await cluster.primaryOf('a');
    const keys = ['{c}1', '{c}2', '{c}3'];
    for (const key of keys) await cluster.command(from, 'SET', key, 'before');
    const migration = new SlotMigration(cluster, slot, from, to);
    await migration.begin();
    while (await migration.moveKeys(1));
    await expect(cluster.command(from, 'GET', '{c}1')).rejects.toThrow(/^ASK /);
    expect(await cluster.commandAsking(to, 'GET', '{c}1')).toBe('before');
    await cluster.command(from, 'CLUSTER', 'SETSLOT', String(slot), 'STABLE');
    expect(await cluster.command(from, 'SET', '{c}1', 'meanwhile')).toBe('OK');
    await migration.abort();
    expect(await Promise.all(['c', ...keys].map(get))).toEqual([
      'of c',
      'meanwhile',
      'before',
      'before',
    ]);
    expect(await cluster.command(to, 'CLUSTER', 'COUNTKEYSINSLOT', String(slot))).toBe(0);
  });

  it('come back empty in their places when all are restarted', async () => {
    await Promise.all(cluster.servers.map((server) => server.kill()));
    await Promise.all(cluster.servers.map((server) => server.restart()));
    await cluster.isWhole();
    expect(await get('a')).toBeNull();
    expect(await cluster.primaries()).toHaveLength(3);
  });
});
