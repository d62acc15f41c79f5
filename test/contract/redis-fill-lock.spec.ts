import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RedisFillLock } from '../../src/query-cache/stores/redis-fill-lock.js';
import { RedisServer } from '../support/redis-server.js';
import { fill, fillLockContract } from './fill-lock.contract.js';
import { connected, freshNamespace, pass } from './redis-harness.js';

let server: RedisServer;

beforeAll(async () => {
  server = await RedisServer.start();
});

afterAll(() => server.stop());

describe('RedisFillLock', () => {
  fillLockContract(async () => {
    const connection = await connected(server.url);
    return {
      lock: new RedisFillLock(connection, freshNamespace()),
      pass,
      close: () => connection.close(),
    };
  });

  it('is seen by all instances', async () => {
    const namespace = freshNamespace();
    const [one, two] = await Promise.all([connected(server.url), connected(server.url)]);
    const [first, second] = [one, two].map(
      (connection) => new RedisFillLock(connection, namespace),
    );
    expect(await first?.acquire(fill('k'), 'a', 60_000)).toBe(true);
    expect(await second?.acquire(fill('k'), 'b', 60_000)).toBe(false);
    await Promise.all([one.close(), two.close()]);
  });
});
