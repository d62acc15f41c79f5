import { afterEach, describe, expect, it } from 'vitest';
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import {
  RedisCommandError,
  RedisTimeoutError,
  RedisUnavailableError,
} from '../../src/redis/connection/redis.errors.js';
import type { RedisConnection } from '../../src/redis/connection/redis-connection.js';
import { RedisServer } from '../../../../test/support/redis-server.js';
import { TcpProxy } from '../../../../test/support/tcp-proxy.js';
import { failureOf, ping, useRedisServer } from './redis-connection-tests.js';
import { connected, down, LogBook, up } from './redis-harness.js';

describe('RedisConnection', () => {
  let server: RedisServer;
  let log: LogBook;
  let connection: RedisConnection;

  afterEach(() => connection.close());
  useRedisServer((started) => {
    server = started;
    log = new LogBook();
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

  it('counts a paused Redis as down after one timeout, and recovers', async () => {
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

  it('notices without a command from callers that the server refuses writes', async () => {
    connection = await connected(server.url);
    const admin = new Redis(server.port);
    await admin.config('SET', 'min-replicas-to-write', '1');
    while (connection.state === 'up') await delay(10);
    expect(connection.reason).toContain('NOREPLICAS');
    await admin.config('SET', 'min-replicas-to-write', '0');
    await up(connection);
    admin.disconnect();
  });

  it('counts a refused heartbeat as an outage, whatever the reason', async () => {
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

  it('detects that another server answers on the same connection', async () => {
    const other = await RedisServer.start();
    const proxy = await TcpProxy.open(server.port);
    connection = await connected(proxy.redisUrl);
    const before = connection.node;
    await proxy.switchTo(other.port);
    await down(connection);
    expect(connection.reason).toContain('another server');
    await up(connection);
    expect(connection.node).not.toBe(before);
    await connection.close();
    await proxy.close();
    await other.stop();
  });

  it('tries once more before an urgent command fails', async () => {
    connection = await connected(server.url);
    const urgently = () => connection.sendAfterReconnect('PING', (client) => client.ping());
    await server.kill();
    await down(connection);
    expect(await failureOf(urgently())).toBeInstanceOf(RedisUnavailableError);
    // So long that no attempt by the timer comes in between.
    for (let attempts = 0; attempts < 8; attempts += 1) await failureOf(urgently());
    await server.restart();
    expect(connection.state).toBe('down');
    expect((await urgently()).value).toBe('PONG');
  });

  describe('an urgent command whose connection breaks', () => {
    let proxy: TcpProxy;

    afterEach(async () => {
      await connection.close();
      await proxy.close();
    });

    async function connectByProxy(timeoutMs?: number): Promise<void> {
      proxy = await TcpProxy.open(server.port);
      const url = `redis://127.0.0.1:${proxy.port}`;
      connection = await connected(url, { log, ...(timeoutMs === undefined ? {} : { timeoutMs }) });
    }

    const urgently = () => connection.sendAfterReconnect('ECHO', (client) => client.echo('urgent'));

    it('is sent once more over another connection', async () => {
      await connectByProxy();
      const held = proxy.holdAt('to-server', 'urgent');
      const answer = urgently();
      await held.reached();
      held.drop();
      expect((await answer).value).toBe('urgent');
      expect(connection.outages).toBe(1);
    });

    it('is sent once more where only its answer was lost', async () => {
      await connectByProxy();
      const held = proxy.holdAt('to-client', 'urgent');
      const answer = urgently();
      await held.reached();
      held.drop();
      expect((await answer).value).toBe('urgent');
    });

    it('fails where the second connection breaks too', async () => {
      await connectByProxy();
      const held = [proxy.holdAt('to-server', 'urgent'), proxy.holdAt('to-server', 'urgent')];
      const failure = failureOf(urgently());
      for (const hold of held) {
        await hold.reached();
        hold.drop();
      }
      expect(await failure).toBeInstanceOf(RedisUnavailableError);
    });

    it('fails where no other connection can be opened', async () => {
      await connectByProxy();
      const held = proxy.holdAt('to-server', 'urgent');
      const failure = failureOf(urgently());
      await held.reached();
      proxy.refuse();
      expect(await failure).toBeInstanceOf(RedisUnavailableError);
    });

    it('fails in time where the other connection gets no answer', async () => {
      await connectByProxy(300);
      const held = proxy.holdAt('to-server', 'urgent');
      const failure = failureOf(urgently());
      await held.reached();
      proxy.freeze();
      held.drop();
      expect(await failure).toBeInstanceOf(RedisUnavailableError);
    });

    it('is not sent again if it was not urgent', async () => {
      await connectByProxy();
      const held = proxy.holdAt('to-server', 'urgent');
      const failure = failureOf(connection.send('ECHO', (client) => client.echo('urgent')));
      await held.reached();
      held.drop();
      expect(await failure).toBeInstanceOf(RedisUnavailableError);
    });
  });

  it('stays closed, however many attempts failed before', async () => {
    connection = await connected(server.url);
    await server.kill();
    await down(connection);
    for (let attempts = 0; attempts < 8; attempts += 1) {
      await failureOf(connection.sendAfterReconnect('PING', (client) => client.ping()));
    }
    await connection.close();
    await server.restart();
    // Longer than the longest pause between two attempts.
    await delay(1_500);
    const client = new Redis(server.url);
    try {
      // The connection's and the test's.
      const clients = (await client.client('LIST')) as string;
      expect(clients.trim().split('\n')).toHaveLength(1);
    } finally {
      client.disconnect();
    }
  });

  it('waits once for the end of a broken connection, however many urgent commands it had', async () => {
    connection = await connected(server.url);
    const warnings: string[] = [];
    const onWarning = ({ name }: Error): unknown => warnings.push(name);
    process.on('warning', onWarning);
    // The client's state before it notices that the connection is closed.
    let stream: Redis['stream'] | undefined;
    await connection.send('PING', (client) => {
      ({ stream } = client);
      return client.ping();
    });
    stream?.end();
    const commands = Array.from({ length: 40 }, () =>
      connection.sendAfterReconnect('PING', (client) => client.ping()),
    );
    expect((await Promise.all(commands)).map(({ value }) => value)).toEqual(
      Array.from({ length: 40 }, () => 'PONG'),
    );
    await nextTurn();
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
  });

  it('gives an urgent command no more time than any other when the server hangs', async () => {
    connection = await connected(server.url, { timeoutMs: 100 });
    server.pause();
    await down(connection);
    const commands = Array.from({ length: 30 }, () =>
      failureOf(connection.sendAfterReconnect('PING', (client) => client.ping())),
    );
    for (const failure of await Promise.all(commands)) {
      expect(failure).toBeInstanceOf(RedisUnavailableError);
    }
    server.resume();
    await up(connection);
  });
});
