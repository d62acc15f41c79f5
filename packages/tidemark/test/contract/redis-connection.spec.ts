import { afterEach, describe, expect, it } from 'vitest';
import { setTimeout as delay } from 'node:timers/promises';
import {
  RedisCommandError,
  RedisUnavailableError,
} from '../../src/redis/connection/redis.errors.js';
import type { RedisConnection } from '../../src/redis/connection/redis-connection.js';
import { RedisServer } from '../../../../test/support/redis-server.js';
import { failureOf, ping, useRedisServer } from './redis-connection-tests.js';
import { connect, connected, LogBook, up } from './redis-harness.js';

describe('RedisConnection', () => {
  let server: RedisServer;
  let log: LogBook;
  let connection: RedisConnection;

  afterEach(() => connection.close());
  useRedisServer((started) => {
    server = started;
    log = new LogBook();
  });

  it('is connecting, then up, and logs nothing when all is well', async () => {
    connection = connect(server.url, { log });
    expect(connection.state).toBe('connecting');
    expect(await failureOf(ping(connection))).toBeInstanceOf(RedisUnavailableError);
    await up(connection);
    expect(connection.outages).toBe(0);
    expect((await ping(connection)).node).toBe(connection.node);
    expect(log.lines).toEqual([]);
  });

  it('does not count a refused command as an outage', async () => {
    connection = await connected(server.url);
    const failure = await failureOf(connection.send('ODD', (client) => client.call('NONSENSE')));
    expect(failure).toBeInstanceOf(RedisCommandError);
    expect((failure as Error).message).toMatch(/^Redis refused ODD: ERR unknown command/);
    expect(connection.state).toBe('up');
  });

  it('knows the eviction policy, and notices when it changes', async () => {
    const evicting = await RedisServer.start({ config: { 'maxmemory-policy': 'allkeys-lru' } });
    connection = await connected(evicting.url);
    expect(connection.evictionPolicy).toBe('allkeys-lru');
    await evicting.command('CONFIG', 'SET', 'maxmemory-policy', 'volatile-lru');
    while (connection.evictionPolicy !== 'volatile-lru') await delay(10);
    expect(connection.state).toBe('up');
    await evicting.stop();
  });

  it('is not stopped by a listener that throws', async () => {
    connection = connect(server.url, { log });
    connection.onUp(() => {
      throw new Error('observer');
    });
    await up(connection);
    expect((await ping(connection)).value).toBe('PONG');
    expect(log.lines.join()).toContain('observer');
  });

  it('closes once, after the commands in flight, and rejects commands then', async () => {
    connection = await connected(server.url, { log });
    const answer = ping(connection);
    await Promise.all([connection.close(), connection.close()]);
    expect((await answer).value).toBe('PONG');
    expect(await failureOf(ping(connection))).toBeInstanceOf(RedisUnavailableError);
    expect(log.lines).toEqual([]);
  });
});
