/** The proxy of tests that hides a failover: no reply is lost, doubled or put in the place of another. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { RedisServer } from '../support/redis-server.js';
import { SwitchingRelay } from '../support/switching-relay.js';

let servers: RedisServer[];
let relay: SwitchingRelay;
let client: Redis;

beforeAll(async () => {
  servers = await Promise.all([RedisServer.start(), RedisServer.start()]);
  for (const [index, server] of servers.entries()) await server.command('SET', 'name', `${index}`);
  relay = await SwitchingRelay.open(servers[0]?.port ?? 0);
  client = new Redis(relay.url, { retryStrategy: null });
});

afterAll(async () => {
  client.disconnect();
  await relay.close();
  for (const server of servers) await server.stop();
});

it('passes a connection in use on to another server between two replies, and back', async () => {
  const asked: Promise<string>[] = [];
  let isDone = false;
  const load = (async () => {
    while (!isDone) {
      for (let count = 0; count < 20; count += 1) asked.push(client.echo(`${asked.length}`));
      // Some are always under way, and never more than the relay can pass on.
      await asked.at(-10);
    }
  })();
  const names: (string | null)[] = [];
  for (const index of [1, 0, 1]) {
    await relay.switchTo(servers[index]?.port ?? 0);
    names.push(await client.get('name'));
  }
  isDone = true;
  await load;
  expect(names).toEqual(['1', '0', '1']);
  expect(await Promise.all(asked)).toEqual(asked.map((_, index) => `${index}`));
  expect(client.status).toBe('ready');
});

it('closes what is open and refuses what is new until it is told to accept', async () => {
  const closed = once(client, 'end');
  relay.refuse();
  await closed;
  const refused = createConnection({ host: '127.0.0.1', port: relay.port });
  refused.on('error', () => undefined);
  await once(refused, 'close');
  relay.accept();
  await client.connect();
  expect(await client.ping()).toBe('PONG');
});
