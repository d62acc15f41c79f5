/** Connections through a proxy that closes them. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { once } from 'node:events';
import { Redis } from 'ioredis';
import type { RedisConnection } from '../../src/redis/connection/redis-connection.js';
import { RedisServer } from '../../../../test/support/redis-server.js';
import { TcpProxy } from '../../../../test/support/tcp-proxy.js';
import { ping, useRedisServer } from './redis-connection-tests.js';
import { connected, down, LogBook, up } from './redis-harness.js';

/** Ten heartbeats. */
const IDLE_LOOKS = 20;

describe('RedisConnection through a proxy', () => {
  let server: RedisServer;
  let proxy: TcpProxy;
  let log: LogBook;
  let connection: RedisConnection;

  afterEach(async () => {
    await connection.close();
    await proxy.close();
  });
  useRedisServer((started) => (server = started));
  beforeEach(async () => {
    proxy = await TcpProxy.open(server.port);
    log = new LogBook();
  });

  it('keeps a connection busy that would be closed as idle', async () => {
    proxy.closeIdle(IDLE_LOOKS);
    connection = await connected(proxy.redisUrl, { log });
    const idle = new Redis(proxy.redisUrl, { retryStrategy: null });
    await once(idle, 'close');
    expect([connection.state, connection.outages]).toEqual(['up', 0]);
    expect(log.lines).toEqual([]);
  });

  it('counts each connection that is closed, and opens another one', async () => {
    connection = await connected(proxy.redisUrl, { log });
    for (let closed = 1; closed <= 5; closed += 1) {
      proxy.cut();
      await down(connection);
      await up(connection);
      expect((await ping(connection)).value).toBe('PONG');
      expect(connection.outages).toBe(closed);
    }
    expect(log.lines).toHaveLength(10);
  });

  it('reaches the new primary behind the same address once the old one is a replica', async () => {
    const other = await RedisServer.start();
    connection = await connected(proxy.redisUrl, { log });
    const before = connection.node;
    proxy.retarget(other.port);
    await server.command('REPLICAOF', '127.0.0.1', String(other.port));
    await down(connection);
    await up(connection);
    expect(connection.node).not.toBe(before);
    expect((await ping(connection)).value).toBe('PONG');
    await connection.close();
    await other.stop();
  });
});
