import { Redis } from 'ioredis';
import type { RedisServer } from './redis-server.js';

/** Calls `work` with a separate connection to the server, which is not made again when it closes. */
export async function withClient<T>(
  { port }: RedisServer,
  password: string | undefined,
  work: (client: Redis) => Promise<T>,
): Promise<T> {
  const login = password === undefined ? {} : { password };
  const client = new Redis(port, '127.0.0.1', {
    lazyConnect: true,
    retryStrategy: () => null,
    ...login,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await work(client);
  } finally {
    client.disconnect();
  }
}
