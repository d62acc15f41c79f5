/** A Redis at its memory limit: noticed without a request, logged once, and noticed when it is over. */
import { afterEach, expect, it } from 'vitest';
import { Redis } from 'ioredis';
import { CacheEvents } from '../../src/core/ports/cache-events.js';
import { EntrySeal } from '../../src/redis/entry-seal.js';
import { resolveOptions } from '../../src/nestjs/query-cache.options.js';
import { RedisStores } from '../../src/nestjs/redis-stores.js';
import { eventually } from '../../../../test/support/eventually.js';
import type { RedisServer } from '../../../../test/support/redis-server.js';
import { useRedisServer } from './redis-connection-tests.js';
import { LogBook } from './redis-harness.js';

let server: RedisServer;
let admin: Redis;
let stores: RedisStores;

afterEach(async () => {
  await stores.close();
  admin.disconnect();
});
useRedisServer((started) => {
  server = started;
  admin = new Redis(server.port);
});

const limitMemory = (bytes: number) => admin.config('SET', 'maxmemory', String(bytes));

it('a full Redis is a degradation with one warning each time, until it has room again', async () => {
  const log = new LogBook();
  let refused = 0;
  const redis = { url: server.url, timeoutMs: 500 };
  const secrets = { database: 'db', seal: new EntrySeal(['the secret of all']) };
  const options = resolveOptions({});
  const events = new CacheEvents();
  stores = new RedisStores({ dataSource: 'default', redis, options, secrets, events, log });
  events.on('storeFull', () => (refused += 1));
  await eventually(() => expect(stores.degradation()).toBeUndefined());
  for (let times = 1; times <= 2; times += 1) {
    const before = refused;
    await limitMemory(1);
    await eventually(() => expect(stores.degradation()).toMatch(/maxmemory.*volatile-lru/));
    // A command of the cache counts as a heartbeat does.
    await expect(stores.versions.create({ table: 't', names: ['*'] }, 'x')).rejects.toThrow('OOM');
    await eventually(() => expect(refused).toBeGreaterThan(before + 3));
    await limitMemory(0);
    await eventually(() => expect(stores.degradation()).toBeUndefined());
    const warning = /^warn Redis at redis:\S+ has reached its maxmemory .*volatile-lru$/;
    const pair = [expect.stringMatching(warning), expect.stringMatching(/^log .* room .* again$/)];
    expect(log.lines).toEqual(Array.from({ length: times }, () => pair).flat());
  }
});
