/** The proxy that tests put in front of PostgreSQL and Redis. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Redis } from 'ioredis';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { RedisServer } from '../../../../test/support/redis-server.js';
import { TcpProxy } from '../../../../test/support/tcp-proxy.js';

let servers: [RedisServer, RedisServer];
let proxy: TcpProxy;
let client: Redis;

beforeAll(async () => {
  servers = await Promise.all([RedisServer.start(), RedisServer.start()]);
  for (const [index, server] of servers.entries()) await server.command('SET', 'name', `${index}`);
});
afterAll(() => Promise.all(servers.map((server) => server.stop())));

beforeEach(async () => {
  proxy = await TcpProxy.open(servers[0].port);
  client = await connect();
});
afterEach(async () => {
  client.disconnect();
  await proxy.close();
});

async function connect(): Promise<Redis> {
  const redis = new Redis(proxy.redisUrl, { retryStrategy: null, lazyConnect: true });
  redis.on('error', () => undefined);
  await redis.connect();
  return redis;
}

describe('a hold', () => {
  it('stops the connection in which its pattern passes, and resumes it completely', async () => {
    const other = await connect();
    const held = proxy.holdAt('to-server', 'stop here');
    const answers = Promise.all([client.echo('before'), client.echo('stop here'), client.ping()]);
    await held.reached();
    expect(await other.echo('stop here')).toBe('stop here');
    held.letGo();
    expect(await answers).toEqual(['before', 'stop here', 'PONG']);
    other.disconnect();
  });

  it('finds a pattern split over two chunks', async () => {
    const socket = createConnection({ host: '127.0.0.1', port: proxy.port, noDelay: true });
    const held = proxy.holdAt('to-server', 'PING');
    socket.write('PI');
    await client.ping().catch(() => undefined);
    socket.write('NG\r\n');
    await held.reached();
    held.letGo();
    const [reply] = (await once(socket, 'data')) as [Buffer];
    expect(reply.toString()).toBe('+PONG\r\n');
    socket.destroy();
  });

  it('holds the end of a stream until it is released', async () => {
    const held = proxy.holdAt('to-server', 'last');
    const socket = createConnection({ host: '127.0.0.1', port: proxy.port });
    socket.end('SET left last\r\n');
    await held.reached();
    expect(await client.get('left')).toBeNull();
    held.letGo();
    await once(socket.resume(), 'close');
    expect(await client.getdel('left')).toBe('last');
  });

  it('closes both sides when it is dropped, and none of its bytes arrive', async () => {
    const held = proxy.holdAt('to-server', 'lost');
    const answer = client.set('lost', 'yes');
    await held.reached();
    held.drop();
    await expect(answer).rejects.toThrow('closed');
    client = await connect();
    expect(await client.get('lost')).toBeNull();
  });
});

it('passes nothing while frozen, also over new connections', async () => {
  proxy.freeze();
  const newcomer = new Redis(proxy.redisUrl, { retryStrategy: null, enableReadyCheck: false });
  const answers: string[] = [];
  const asked = [client, newcomer].map(async (redis) => answers.push(await redis.ping()));
  await once(newcomer, 'connect');
  expect(await servers[0].command('PING')).toBe('+PONG');
  expect(answers).toEqual([]);
  proxy.thaw();
  await Promise.all(asked);
  expect(answers).toEqual(['PONG', 'PONG']);
  newcomer.disconnect();
});

it('closes open connections, and refuses new ones until it accepts again', async () => {
  const closed = once(client, 'end');
  proxy.refuse();
  await closed;
  await expect(connect()).rejects.toThrow('closed');
  proxy.accept();
  await client.connect();
  expect(await client.ping()).toBe('PONG');
});

it('sends new connections to another server, and leaves open ones unchanged', async () => {
  proxy.retarget(servers[1].port);
  const newcomer = await connect();
  expect(await client.get('name')).toBe('0');
  expect(await newcomer.get('name')).toBe('1');
  const closed = once(client, 'end');
  proxy.cut();
  await closed;
});

it('switches a connection in use to another server between two replies, and back', async () => {
  const asked: Promise<string>[] = [];
  let isDone = false;
  const load = (async () => {
    while (!isDone) {
      for (let count = 0; count < 20; count += 1) asked.push(client.echo(`${asked.length}`));
      // Some are always under way, and never more than the proxy can pass on.
      await asked.at(-10);
    }
  })();
  const names: (string | null)[] = [];
  for (const server of [servers[1], servers[0], servers[1]]) {
    await proxy.switchTo(server.port);
    names.push(await client.get('name'));
  }
  isDone = true;
  await load;
  expect(names).toEqual(['1', '0', '1']);
  expect(await Promise.all(asked)).toEqual(asked.map((_, index) => `${index}`));
  expect(client.status).toBe('ready');
});
