import { describe, expect, it } from 'vitest';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { inspect } from 'node:util';
import { RedisUnavailableError } from '../../src/redis/connection/redis.errors.js';
import { RedisServer } from '../../../../test/support/redis-server.js';
import { failureOf, ping } from './redis-connection-tests.js';
import { connect, connected, down, LogBook, up } from './redis-harness.js';

describe('RedisConnection without a server that answers', () => {
  it('does not delay the start, reports once, and comes up when a server appears', async () => {
    const server = await RedisServer.start();
    await server.kill();
    const log = new LogBook();
    const connection = connect(server.url, { log });
    await down(connection);
    expect(connection.outages).toBe(1);
    expect(await failureOf(ping(connection))).toBeInstanceOf(RedisUnavailableError);
    await server.restart();
    await up(connection);
    expect(log.lines).toEqual([
      expect.stringContaining('ECONNREFUSED'),
      expect.stringContaining('available again'),
    ]);
    await connection.close();
    await server.stop();
  });

  it('gives up a connection that is accepted and never answered', async () => {
    let accepted = 0;
    const mute = createServer((socket) => {
      accepted += 1;
      // The end of a stream that is not read is never emitted.
      socket.on('error', () => undefined).resume();
    }).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    const { port } = mute.address() as AddressInfo;
    const url = `redis://127.0.0.1:${port}`;
    const connection = connect(url, { timeoutMs: 50 });
    while (accepted < 2) await delay(10);
    expect(connection.state).not.toBe('up');
    await connection.close();
    mute.close();
  });

  it.each([
    {
      mode: 'a node of a cluster',
      options: { config: { 'cluster-enabled': 'yes' } },
      remedy: /cluster mode.*`redis\.cluster` \(REDIS_CLUSTER\)/,
    },
    {
      mode: 'a Sentinel at its URL',
      options: { isSentinel: true },
      remedy: /is a Sentinel: give its address among `sentinels`/,
    },
  ])('does not use $mode, and reports the remedy', async ({ options, remedy }) => {
    const server = await RedisServer.start(options);
    const log = new LogBook();
    const connection = connect(server.url, { log });
    await down(connection);
    expect(connection.reason).toMatch(remedy);
    expect(await failureOf(ping(connection))).toBeInstanceOf(RedisUnavailableError);
    expect(log.lines).toHaveLength(1);
    await connection.close();
    await server.stop();
  });

  it('reports a wrong password without revealing it', async () => {
    const server = await RedisServer.start({ config: { requirepass: 'right-secret' } });
    const log = new LogBook();
    const url = server.url.replace('//', '//default:wrong-secret@');
    const connection = connect(url, { log });
    await down(connection);
    const failure = await failureOf(ping(connection));
    expect(log.lines).toHaveLength(1);
    expect(log.lines[0]).toContain('WRONGPASS');
    const output = [...log.lines, connection.reason, inspect(failure)].join('\n');
    expect(output).not.toContain('secret');
    await connection.close();
    await server.stop();
  });

  it('signs in with the right password', async () => {
    const server = await RedisServer.start({ config: { requirepass: 'a%secret/@' } });
    const log = new LogBook();
    const url = server.url.replace('//', `//:${encodeURIComponent('a%secret/@')}@`);
    const connection = await connected(url, { log });
    expect((await ping(connection)).value).toBe('PONG');
    expect(log.lines).toEqual([]);
    await connection.close();
    await server.stop();
  });
});
