/**
 * Real: PostgreSQL, a Redis Cluster of three primaries with a replica each. Slots change their primary while two
 * instances read and write. Neither shows an old answer, and both answer from their caches again.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { itWhenLong, representatives } from '../../../../test/support/long-tests.js';
import type { WritePolicy } from '../../src/index.js';
import { ALL, ClusterShop, customers } from './cluster-shop.js';

const CUSTOMERS = 'public.customers';

let shop: ClusterShop;

const open = async (writePolicy: WritePolicy): Promise<void> => {
  shop = await ClusterShop.open({ cluster: { primaries: 3, replicas: 1 }, writePolicy });
};

afterEach(() => shop.close());

const changes: readonly { readonly change: string; readonly run: () => Promise<unknown> }[] = [
  {
    change: 'kill -9 of a primary, whose replica takes over',
    run: async () => {
      const { cluster } = shop;
      const primary = await shop.serverOf(CUSTOMERS);
      const replica = await cluster.replicaOf(primary);
      await primary.kill();
      await cluster.isPrimary(replica);
    },
  },
  {
    change: 'the slot of a table is moved to another primary, and back',
    run: async () => {
      const { cluster } = shop;
      const slot = shop.slotOf(CUSTOMERS);
      const from = await shop.serverOf(CUSTOMERS);
      const to = (await cluster.primaries()).find((server) => server !== from);
      if (!to) throw new Error('There is one primary alone');
      await cluster.migrateSlot(slot, from, to);
      await cluster.migrateSlot(slot, to, from);
    },
  },
  {
    change: 'CLUSTER FAILOVER, and another one back to the first primary',
    run: async () => {
      const { cluster } = shop;
      const primary = await shop.serverOf(CUSTOMERS);
      await cluster.failOver(await cluster.replicaOf(primary));
      await cluster.hasFollowed(primary);
      await cluster.failOver(primary);
    },
  },
  {
    change: 'a replica that lacks the last writes takes over',
    run: async () => {
      const { cluster } = shop;
      const primary = await shop.serverOf(CUSTOMERS);
      const replica = await cluster.replicaOf(primary);
      replica.pause();
      await shop.hasWritten(6);
      await primary.kill();
      replica.resume();
      await cluster.failOver(replica, 'takeover');
    },
  },
  {
    change: 'all nodes restart',
    run: async () => {
      for (const server of shop.cluster.servers) await server.restart();
      await shop.cluster.isWhole();
    },
  },
  {
    change: 'a node joins, gets the slot of a table, gives it back, and leaves',
    run: async () => {
      const { cluster } = shop;
      const slot = shop.slotOf(CUSTOMERS);
      const from = await shop.serverOf(CUSTOMERS);
      const joined = await cluster.addNode();
      await cluster.migrateSlot(slot, from, joined);
      await cluster.migrateSlot(slot, joined, from);
      await cluster.removeNode(joined);
    },
  },
];

describe('two instances over a cluster, under the policy refuse', () => {
  beforeEach(() => open('refuse'), 120_000);

  it.each(representatives(changes, 0, 1))(
    'show no old answer while $change, and hit again',
    { timeout: 240_000 },
    async ({ run }) => {
      await shop.underLoad(run);
      await shop.allHit(ALL);
      expect(await shop.writeCustomer()).toBe(true);
      await shop.expectFresh();
      await shop.allHit(ALL);
    },
  );
});

itWhenLong(
  'under the policy commit writes to the tables of a primary that was killed are committed, and none is missed once its replica has taken over',
  async () => {
    await open('commit');
    const primary = await shop.serverOf(CUSTOMERS);
    const replica = await shop.cluster.replicaOf(primary);
    replica.pause();
    await primary.kill();
    await shop.bypasses(customers);
    expect(await shop.writeCustomer()).toBe(true);
    await shop.expectFresh();
    replica.resume();
    await shop.cluster.isPrimary(replica);
    await shop.allHit(ALL);
    expect(await shop.writeCustomer()).toBe(true);
    await shop.expectFresh();
    await shop.allHit(ALL);
  },
  240_000,
);
