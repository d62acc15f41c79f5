/** A server and a Sentinel at the IPv6 loopback address. Skipped on a machine without one. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { networkInterfaces } from 'node:os';
import { Redis } from 'ioredis';
import type { RedisConnection } from '../../src/redis/connection/redis-connection.js';
import type { RedisTarget } from '../../src/redis/connection/redis-client.factory.js';
import { RedisServer } from '../../../../test/support/redis-server.js';
import { ping } from './redis-connection-tests.js';
import { connected, down, LogBook } from './redis-harness.js';

const HOST = '::1';
const hasIPv6 = Object.values(networkInterfaces())
  .flat()
  .some((network) => network?.address === HOST);

/** The tests ask servers over IPv4. */
const bind = `127.0.0.1 ${HOST}`;

describe.skipIf(!hasIPv6)('RedisConnection at an IPv6 address', () => {
  let server: RedisServer;
  let sentinel: RedisServer;
  let connection: RedisConnection;

  beforeAll(async () => {
    server = await RedisServer.start({ config: { bind } });
    sentinel = await RedisServer.start({ isSentinel: true, config: { bind } });
    await sentinel.command('SENTINEL', 'MONITOR', 'one', HOST, String(server.port), '1');
  });

  afterEach(() => connection.close());
  afterAll(() => Promise.all([server.stop(), sentinel.stop()]));

  it.each<[string, () => RedisTarget, () => string]>([
    [
      'a URL',
      () => ({ url: `redis://[${HOST}]:${server.port}/3` }),
      () => `redis://[::1]:${server.port}/3`,
    ],
    [
      'a client',
      () => ({ client: new Redis({ host: HOST, port: server.port, lazyConnect: true }) }),
      () => `redis://[::1]:${server.port}/0`,
    ],
    [
      'Sentinels',
      () => ({ sentinels: [{ host: HOST, port: sentinel.port }], name: 'one' }),
      () => `one/0 of the sentinels [::1]:${sentinel.port}`,
    ],
  ])('connects by %s, and the log has the address in brackets', async (_form, target, address) => {
    const log = new LogBook();
    connection = await connected(target(), { log });
    const peer = await connection.send('PING', async (client) => {
      await client.ping();
      return client.stream.remoteAddress;
    });
    expect(peer.value).toBe(HOST);
    expect((await ping(connection)).value).toBe('PONG');
    connection.distrust('a test');
    await down(connection);
    expect(log.lines[0]).toContain(`Redis at ${address()} is not available (a test)`);
  });
});
