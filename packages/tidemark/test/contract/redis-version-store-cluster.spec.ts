import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Redis } from 'ioredis';
import { setTimeout as delay } from 'node:timers/promises';
import { RedisCommandError } from '../../src/redis/connection/redis.errors.js';
import { CoalescedWrites } from '../../src/redis/connection/coalesced-writes.js';
import type { RedisConnection } from '../../src/redis/connection/redis-connection.js';
import { RedisFillLock } from '../../src/redis/redis-fill-lock.js';
import { RedisVersionStore } from '../../src/redis/redis-version-store.js';
import { RedisServer } from '../../../../test/support/redis-server.js';
import { canaryAt, freshNamespace, keysIn, pass } from './redis-harness.js';

const LONG_MS = 600_000;

describe('RedisVersionStore on a cluster node', () => {
  let node: RedisServer;
  let client: Redis;
  let connection: RedisConnection;

  beforeAll(async () => {
    node = await RedisServer.start({ config: { 'cluster-enabled': 'yes' } });
    await node.command('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    while ((await node.command('GET', 'x')).startsWith('-CLUSTERDOWN')) await delay(20);
    client = new Redis(node.port);
    // A real connection refuses a cluster; its node still reports which keys lie in one slot.
    const send = async <T>(name: string, command: (redis: Redis, runId: string) => Promise<T>) => {
      try {
        return { value: await command(client, 'node'), node: 'node' };
      } catch (error) {
        const text = (error as Error).message;
        throw new RedisCommandError(name, text.split(' ', 1)[0] ?? '', text);
      }
    };
    const writes = new CoalescedWrites();
    connection = { send, sendAfterReconnect: send, writes } as unknown as RedisConnection;
  });

  afterAll(async () => {
    client.disconnect();
    await node.stop();
  });

  it.each(['public.users', '}odd{', '{}'])('touches one slot in each script: %s', async (table) => {
    const keys = keysIn(freshNamespace());
    // The number of a node has to lie in one of its slots.
    const ofCanary = (id: string) =>
      [`${keys.epoch(table)}c:${id}`, `${keys.epoch(table)}c`] as const;
    const store = new RedisVersionStore(connection, keys, canaryAt({ ofCanary }));
    await store.rotate(table, undefined, 'e1');
    await store.create({ table, names: ['*', 'id=1', 'region?'] }, 't1');
    const tables = [{ table, names: ['*', 'id=}{2'] }];
    await store.begin({ writeId: 'w1', backendPid: 1, tables }, 't2', 1);
    await pass(1);
    await store.inspect({ table, names: ['*'] });
    await store.renew(table, 'w1', '1', 1);
    await pass(1);
    await store.settle(table, 'w1', 't4');
    await store.begin({ writeId: 'w2', backendPid: 1, tables }, 't5', LONG_MS);
    await store.abort('w2', [table]);
    await store.begin({ writeId: 'w3', backendPid: 1, tables }, 't6', LONG_MS);
    await store.end('w3', [table], 't7');
    const names = ['*', 'id=1', 'id=}{2', 'region?'];
    const [reading] = await store.read([{ table, names }]);
    expect(reading?.versions).toEqual(['t7', 't1', undefined, 't7']);
    expect(await store.settleEpoch(table, reading?.epoch ?? '')).toBe(true);
  });

  it('touches one slot where a lock is asked for beside its entry', async () => {
    const lock = new RedisFillLock(() => connection, keysIn(freshNamespace()));
    const fill = 'k';
    expect(await lock.acquireUnlessStored(fill, 'a', LONG_MS)).toBe(true);
    expect(await lock.acquire(fill, 'b', LONG_MS)).toBe(false);
    await lock.release(fill, 'a');
    expect(await lock.acquire(fill, 'b', LONG_MS)).toBe(true);
  });
});
