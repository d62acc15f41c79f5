import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { inspect } from 'node:util';
import { Redis } from 'ioredis';
import { createRedisClient } from '../../src/redis/redis-client.factory.js';
import {
  RedisCommandError,
  RedisTimeoutError,
  RedisUnavailableError,
} from '../../src/redis/redis.errors.js';
import { RedisConnection } from '../../src/redis/redis-connection.js';
import { RedisServer } from '../support/redis-server.js';
import { SwitchingRelay } from '../support/switching-relay.js';
import { connect, connected, down, LogBook, plainHeartbeat, up } from './redis-harness.js';

const ping = (connection: RedisConnection) => connection.send('PING', (client) => client.ping());
const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('RedisConnection', () => {
  let server: RedisServer;
  let log: LogBook;
  let connection: RedisConnection;

  beforeEach(async () => {
    server = await RedisServer.start();
    log = new LogBook();
  });

  afterEach(async () => {
    await connection.close();
    await server.stop();
  });

  it('is connecting, then up, and says nothing when all is well', async () => {
    connection = connect(server.url, { log });
    expect(connection.state).toBe('connecting');
    expect(await failureOf(ping(connection))).toBeInstanceOf(RedisUnavailableError);
    await up(connection);
    expect(connection.outages).toBe(0);
    expect((await ping(connection)).node).toBe(connection.node);
    expect(log.lines).toEqual([]);
  });

  it('goes down when Redis is killed, and up with another node when it is back', async () => {
    connection = await connected(server.url, { log });
    const before = connection.node;
    const states: string[] = [];
    connection.onDown(() => states.push(`down ${connection.outages}`));
    connection.onUp(() => states.push('up'));
    await server.kill();
    await down(connection);
    expect(connection.node).toBeUndefined();
    for (let attempt = 0; attempt < 3; attempt += 1) {
      expect(await failureOf(ping(connection))).toBeInstanceOf(RedisUnavailableError);
    }
    await server.restart();
    await up(connection);
    expect(connection.node).toMatch(/^\w{40}$/);
    expect(connection.node).not.toBe(before);
    expect((await ping(connection)).value).toBe('PONG');
    expect(states).toEqual(['down 1', 'up']);
    expect(log.lines).toEqual([
      expect.stringMatching(/^warn Redis at redis:\/\/127\.0\.0\.1:\d+\/0 is not available/),
      expect.stringMatching(/^log Redis at .* is available again$/),
    ]);
  });

  it('rejects commands in flight when the connection breaks', async () => {
    connection = await connected(server.url);
    server.pause();
    const failure = failureOf(ping(connection));
    await server.kill();
    expect(await failure).toBeInstanceOf(RedisUnavailableError);
  });

  it('counts a paused Redis as down after one timeout, and recovers on the same connection', async () => {
    connection = await connected(server.url, { timeoutMs: 400, log });
    const { node } = connection;
    server.pause();
    expect(await failureOf(ping(connection))).toBeInstanceOf(RedisTimeoutError);
    expect(connection.state).toBe('down');
    expect(await failureOf(ping(connection))).toBeInstanceOf(RedisUnavailableError);
    server.resume();
    await up(connection);
    expect(connection.node).toBe(node);
    expect(connection.outages).toBe(1);
    expect(log.lines).toHaveLength(2);
  });

  it('notices a stall while it has nothing to send', async () => {
    connection = await connected(server.url, { timeoutMs: 100 });
    server.pause();
    await down(connection);
    expect(connection.reason).toContain('heartbeat');
    server.resume();
    await up(connection);
  });

  it('does not count its own stall as an outage of Redis', async () => {
    connection = await connected(server.url, { timeoutMs: 400 });
    const answer = ping(connection);
    const untilMs = performance.now() + 1_000;
    while (performance.now() < untilMs);
    expect((await answer).value).toBe('PONG');
    expect(connection.outages).toBe(0);
  });

  it('takes a refused command for no outage', async () => {
    connection = await connected(server.url);
    const failure = await failureOf(connection.send('ODD', (client) => client.call('NONSENSE')));
    expect(failure).toBeInstanceOf(RedisCommandError);
    expect((failure as Error).message).toMatch(/^Redis refused ODD: ERR unknown command/);
    expect(connection.state).toBe('up');
  });

  it('does not trust a server that became a replica until it is a primary again', async () => {
    connection = await connected(server.url);
    const admin = new Redis(server.port);
    await admin.replicaof('127.0.0.1', 1);
    const failure = await failureOf(connection.send('SET', (client) => client.set('k', 'v')));
    expect((failure as RedisCommandError).replyCode).toBe('READONLY');
    expect(connection.state).toBe('down');
    while (!connection.reason.includes('is a replica')) await delay(10);
    expect(connection.state).toBe('down');
    await admin.replicaof('NO', 'ONE');
    await up(connection);
    expect((await ping(connection)).value).toBe('PONG');
    admin.disconnect();
  });

  it('notices without being asked for anything that the server refuses writes', async () => {
    connection = await connected(server.url);
    const admin = new Redis(server.port);
    await admin.config('SET', 'min-replicas-to-write', '1');
    while (connection.state === 'up') await delay(10);
    expect(connection.reason).toContain('NOREPLICAS');
    await admin.config('SET', 'min-replicas-to-write', '0');
    await up(connection);
    admin.disconnect();
  });

  it('takes a heartbeat that is refused for an outage, whatever the reason', async () => {
    const admin = new Redis(server.port);
    await admin.call('ACL', 'SETUSER', 'app', 'on', '>secret', 'allkeys', '+@all');
    connection = await connected(server.url.replace('//', '//app:secret@'));
    await admin.call('ACL', 'SETUSER', 'app', '-del');
    await down(connection);
    expect(connection.reason).toContain('NOPERM');
    await admin.call('ACL', 'SETUSER', 'app', '+del');
    await up(connection);
    admin.disconnect();
  });

  it('finds out that another server answers on the same connection', async () => {
    const other = await RedisServer.start();
    const relay = await SwitchingRelay.open(server.port);
    connection = await connected(relay.url);
    const before = connection.node;
    await relay.switchTo(other.port);
    await down(connection);
    expect(connection.reason).toContain('another server');
    await up(connection);
    expect(connection.node).not.toBe(before);
    await connection.close();
    await relay.close();
    await other.stop();
  });

  it('tries once more before an urgent command fails', async () => {
    connection = await connected(server.url);
    const urgently = () => connection.sendUrgently('PING', (client) => client.ping());
    await server.kill();
    await down(connection);
    expect(await failureOf(urgently())).toBeInstanceOf(RedisUnavailableError);
    // So long that the next attempt by itself is a while away.
    for (let attempts = 0; attempts < 8; attempts += 1) await failureOf(urgently());
    await server.restart();
    expect(connection.state).toBe('down');
    expect((await urgently()).value).toBe('PONG');
  });

  it('gives an urgent command no more time than any other when the server stands still', async () => {
    connection = await connected(server.url, { timeoutMs: 100 });
    server.pause();
    await down(connection);
    const commands = Array.from({ length: 30 }, () =>
      failureOf(connection.sendUrgently('PING', (client) => client.ping())),
    );
    for (const failure of await Promise.all(commands)) {
      expect(failure).toBeInstanceOf(RedisUnavailableError);
    }
    server.resume();
    await up(connection);
  });

  it('knows the eviction policy, and when it changes', async () => {
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

  it('stops telling a listener that was taken off', async () => {
    connection = await connected(server.url);
    let told = 0;
    const stop = connection.onDown(() => (told += 1));
    stop();
    await server.kill();
    await down(connection);
    expect(told).toBe(0);
  });

  it('closes after the commands in flight, once, and is of no use then', async () => {
    connection = await connected(server.url, { log });
    const answer = ping(connection);
    await Promise.all([connection.close(), connection.close()]);
    expect((await answer).value).toBe('PONG');
    expect(await failureOf(ping(connection))).toBeInstanceOf(RedisUnavailableError);
    expect(log.lines).toEqual([]);
  });
});

describe('RedisConnection without a server that answers', () => {
  it('does not hold up the start, reports once, and comes up when a server appears', async () => {
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
    const mute = createServer(() => (accepted += 1)).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    const { port } = mute.address() as AddressInfo;
    const url = `redis://127.0.0.1:${port}`;
    const connection = new RedisConnection(createRedisClient({ url, timeoutMs: 50 }), {
      heartbeat: plainHeartbeat,
      address: url,
      timeoutMs: 50,
      log: new LogBook(),
      probeIntervalMs: 20,
      silenceLimitMs: 50,
    });
    connection.start();
    while (accepted < 2) await delay(10);
    expect(connection.state).not.toBe('up');
    await connection.close();
    mute.close();
  });

  it.each([
    { mode: 'a node of a cluster', options: { config: { 'cluster-enabled': 'yes' } } },
    { mode: 'a Sentinel', options: { isSentinel: true } },
  ])('does not use $mode, and says what to do', async ({ mode, options }) => {
    const server = await RedisServer.start(options);
    const log = new LogBook();
    const connection = connect(server.url, { log });
    await down(connection);
    expect(connection.reason).toContain('not supported: ');
    expect(connection.reason.toLowerCase()).toContain(mode.split(' ').at(-1)?.toLowerCase());
    expect(await failureOf(ping(connection))).toBeInstanceOf(RedisUnavailableError);
    expect(log.lines).toHaveLength(1);
    await connection.close();
    await server.stop();
  });

  it('reports a wrong password without telling it', async () => {
    const server = await RedisServer.start({ config: { requirepass: 'right-secret' } });
    const log = new LogBook();
    const url = server.url.replace('//', '//default:wrong-secret@');
    const connection = connect(url, { log });
    await down(connection);
    const failure = await failureOf(ping(connection));
    expect(log.lines).toHaveLength(1);
    expect(log.lines[0]).toContain('WRONGPASS');
    const told = [...log.lines, connection.address, connection.reason, inspect(failure)].join('\n');
    expect(told).not.toContain('secret');
    await connection.close();
    await server.stop();
  });

  it('signs in with the right one', async () => {
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
