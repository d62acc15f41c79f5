/** Connections through a proxy that closes them. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { once } from 'node:events';
import { Redis } from 'ioredis';
import type { RedisConnection } from '../../src/redis/connection/redis-connection.js';
import { TcpProxy } from '../../../../test/support/tcp-proxy.js';
import { ping, useRedisServer } from './redis-connection-tests.js';
import { connected, down, LogBook, up } from './redis-harness.js';

/** Ten heartbeats. */
const IDLE_LOOKS = 20;

describe('RedisConnection through a proxy', () => {
  let port: number;
  let proxy: TcpProxy;
  let log: LogBook;
  let connection: RedisConnection;

  afterEach(async () => {
    await connection.close();
    await proxy.close();
  });
  useRedisServer((server) => ({ port } = server));
  beforeEach(async () => {
    proxy = await TcpProxy.open(port);
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
});
