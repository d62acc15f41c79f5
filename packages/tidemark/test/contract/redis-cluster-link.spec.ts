/** What a link to a bucket of a Redis Cluster makes of replies about its slot, without the heartbeats of the node. */
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RedisClusterServers } from '../../../../test/support/redis-cluster-servers.js';
import type { RedisServer } from '../../../../test/support/redis-server.js';
import { SlotMigration } from '../../../../test/support/slot-migration.js';
import { BucketLink } from '../../src/redis/cluster/bucket-link.js';
import { slotOf } from '../../src/redis/cluster/slots.js';
import { RedisConnection } from '../../src/redis/connection/redis-connection.js';
import { RedisSlotError } from '../../src/redis/connection/redis.errors.js';
import { LogBook } from './redis-harness.js';

const [MOVED, STAYS] = ['{bucket}:moved', '{bucket}:stays'];
const SLOT = slotOf(MOVED);
const TIMEOUT_MS = 10_000;

let cluster: RedisClusterServers;
let migration: SlotMigration;
let connection: RedisConnection;
let link: BucketLink;
let refreshes: number;

beforeAll(async () => {
  cluster = await RedisClusterServers.start({ primaries: 2, replicas: 0 });
});

afterAll(() => cluster.stop());

beforeEach(async () => {
  const from = await cluster.primaryOf(SLOT);
  const to = (await cluster.primaries()).find((server) => server !== from) as RedisServer;
  refreshes = 0;
  const log = new LogBook();
  connection = RedisConnection.open({
    host: '127.0.0.1',
    port: from.port,
    ofCluster: {},
    timeoutMs: TIMEOUT_MS,
    log,
    heartbeat: () => Promise.resolve(),
  });
  link = new BucketLink({
    slot: SLOT,
    timeoutMs: TIMEOUT_MS,
    log,
    heartbeat: (client) => client.get(STAYS),
    refresh: () => Promise.resolve(void (refreshes += 1)),
  });
  connection.onUp(() => link.route(connection));
  await new Promise<void>((resolve) => link.onUp(resolve));
  await link.send('MSET', (client) => client.mset(MOVED, '1', STAYS, '1'));
  migration = new SlotMigration(cluster, SLOT, from, to);
  await migration.begin();
  await cluster.command(from, 'MIGRATE', '127.0.0.1', String(to.port), MOVED, '0', '5000');
});

afterEach(async () => {
  await connection.close();
  await migration.abort();
});

describe('a command to a slot that is being moved', () => {
  it.each([
    ['ASK', (client: Redis) => client.get(MOVED)],
    ['TRYAGAIN', (client: Redis) => client.mget(MOVED, STAYS)],
    [
      'non local key',
      (client: Redis) => client.eval("redis.call('GET', ARGV[1])", 1, STAYS, MOVED),
    ],
  ])('counts an outage of the bucket at the reply %s', async (reply, command) => {
    expect(link.outages).toBe(0);
    const failure = link.send('a command', command);
    await expect(failure).rejects.toThrow(RedisSlotError);
    await expect(failure).rejects.toThrow(reply);
    expect([link.outages, link.state, refreshes]).toEqual([1, 'down', 1]);
    // Writes know that another node may have the keys.
    await expect(link.send('a write', (client) => client.get(STAYS))).rejects.toThrow(
      RedisSlotError,
    );
  });

  it('leaves the link up where the node has the keys', async () => {
    await link.send('GET', (client) => client.get(STAYS));
    expect([link.outages, link.state, refreshes]).toEqual([0, 'up', 0]);
  });
});
