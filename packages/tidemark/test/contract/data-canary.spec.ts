/** The number that each process keeps in Redis to detect lost data. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Redis } from 'ioredis';
import type { RedisKeys } from '../../src/redis/redis-keys.js';
import type { RedisConnection } from '../../src/redis/connection/redis-connection.js';
import { RedisServer } from '../../../../test/support/redis-server.js';
import { canaryAt, connected, down, freshNamespace, keysIn, up } from './redis-harness.js';

describe('the number of a process', () => {
  let server: RedisServer;
  let connection: RedisConnection;
  let keys: RedisKeys;
  let losses: number;

  beforeAll(async () => {
    server = await RedisServer.start();
    connection = await connected(server.url);
  });

  afterAll(async () => {
    await connection.close();
    await server.stop();
  });

  beforeEach(() => {
    keys = keysIn(freshNamespace());
    losses = 0;
  });

  const canary = () => canaryAt(keys, () => (losses += 1));
  const raise = (of: ReturnType<typeof canary>) =>
    connection.send('EVAL', (client, node) => of.raise(client, node));

  it('gets one day to live from the next process when its own was killed, also after a restart of Redis', async () => {
    const killed = canary();
    await raise(killed);
    const wentDown = down(connection);
    await server.restart({ empty: true });
    await wentDown;
    await up(connection);
    await raise(killed);
    await raise(canary());
    const admin = new Redis(server.port);
    try {
      expect(await admin.pttl(killed.key)).toBeGreaterThan(0);
    } finally {
      admin.disconnect();
    }
  });

  it('is not reported as lost by reads that end after its removal', async () => {
    const stopping = canary();
    await raise(stopping);
    const { confirmed } = stopping;
    await connection.send('DEL', (client) => stopping.remove(client));
    const { value, node } = await connection.send('GET', (client) => client.get(stopping.key));
    expect(() => stopping.requireKept(value, node, confirmed)).toThrow('lost data');
    expect(losses).toBe(0);
  });
});
