import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Redis } from 'ioredis';
import { RedisFillLock } from '../../src/redis/redis-fill-lock.js';
import { RedisServer } from '../../../../test/support/redis-server.js';
import { fillLockContract } from './fill-lock.contract.js';
import { connected, entryStore, freshNamespace, keysIn, pass } from './redis-harness.js';

let server: RedisServer;

beforeAll(async () => {
  server = await RedisServer.start();
});

afterAll(() => server.stop());

describe('RedisFillLock', () => {
  fillLockContract(async () => {
    const connection = await connected(server.url);
    return {
      lock: new RedisFillLock(() => connection, keysIn(freshNamespace())),
      pass,
      close: () => connection.close(),
    };
  });

  it('is requested together with the entry, and taken only where there is no entry', async () => {
    const namespace = freshNamespace();
    const connection = await connected(server.url);
    const lock = new RedisFillLock(() => connection, keysIn(namespace));
    const entries = entryStore(connection, namespace);
    expect(await lock.acquireUnlessStored('k', 'a', 60_000)).toBe(true);
    expect(await lock.acquireUnlessStored('k', 'b', 60_000)).toBe(false);
    expect(await lock.acquire('k', 'b', 60_000)).toBe(false);
    await lock.release('k', 'a');
    const createdAtMs = Date.now();
    const body = Buffer.from('[]');
    const times = { createdAtMs, expiresAtMs: createdAtMs + 60_000 };
    await entries.set('k', { stamp: 's', body, empty: true, tag: 't', headers: {}, ...times });
    expect(await lock.acquireUnlessStored('k', 'a', 60_000)).toBeUndefined();
    expect(await lock.acquire('k', 'b', 60_000)).toBe(true);
    await connection.close();
  });

  it('is taken from another client that would never release it', async () => {
    const namespace = freshNamespace();
    const connection = await connected(server.url);
    const lock = new RedisFillLock(() => connection, keysIn(namespace));
    const key = keysIn(namespace).fillLock('k');
    const plant: ((client: Redis) => Promise<unknown>)[] = [
      (client) => client.set(key, 'x'),
      (client) => client.set(key, 'x', 'PX', 600_000),
      (client) => client.rpush(key, 'x'),
    ];
    for (const planted of plant) {
      for (const acquire of [lock.acquire.bind(lock), lock.acquireUnlessStored.bind(lock)]) {
        await connection.send('a value', (client) => client.del(key).then(() => planted(client)));
        expect(await acquire('k', 'a', 60_000)).toBe(true);
      }
    }
    await connection.close();
  });

  it('is seen by all instances', async () => {
    const namespace = freshNamespace();
    const [one, two] = await Promise.all([connected(server.url), connected(server.url)]);
    const [first, second] = [one, two].map(
      (connection) => new RedisFillLock(() => connection, keysIn(namespace)),
    );
    expect(await first?.acquire('k', 'a', 60_000)).toBe(true);
    expect(await second?.acquire('k', 'b', 60_000)).toBe(false);
    await Promise.all([one.close(), two.close()]);
  });
});
