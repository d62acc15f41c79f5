/** Shared parts of the specs about connections to Redis. */
import { afterEach, beforeEach } from 'vitest';
import type { RedisConnection } from '../../src/redis/connection/redis-connection.js';
import { RedisServer } from '../../../../test/support/redis-server.js';

export const ping = (connection: RedisConnection) =>
  connection.send('PING', (client) => client.ping());

/** The reason of the rejected promise; `undefined` when it is fulfilled. */
export const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

/**
 * Starts a server before each test of the surrounding `describe` and stops it after it. An
 * `afterEach` that closes connections to the server is registered before this is called.
 *
 * @param prepare gets the server before the test.
 */
export function useRedisServer(prepare: (server: RedisServer) => unknown): void {
  let server: RedisServer | undefined;
  beforeEach(async () => {
    server = await RedisServer.start();
    await prepare(server);
  });
  afterEach(() => server?.stop());
}
