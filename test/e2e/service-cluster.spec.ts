/** The service over Redis Cluster, by its variables. */
import { expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { RedisClusterServers } from '../support/redis-cluster-servers.js';
import { createDatabase } from '../support/shared-postgres.js';
import { startLoggedService } from './support/logged-service.js';

it('hits, sees writes, hits again after a failover of each primary, and logs no password', async () => {
  const cluster = await RedisClusterServers.start({ password: 'of-nodes' });
  const [{ port } = { port: 0 }] = cluster.addresses;
  const service = await startLoggedService(await createDatabase(), {
    REDIS_CLUSTER: `localhost:${port}`,
    REDIS_PASSWORD: 'of-nodes',
    REDIS_TIMEOUT_MS: '5000',
    SEED_USERS: '3',
  });
  const { app, lines } = service;
  const hits = () =>
    eventually(async () => {
      const { headers } = await app.inject({ url: '/users/1' });
      expect(headers['cache-status']).toMatch(/^tidemark; hit/);
    }, 60_000);
  const rename = async (username: string) => {
    const { statusCode } = await app.inject({
      method: 'PATCH',
      url: '/users/1',
      payload: { username },
    });
    expect(statusCode).toBe(200);
    const { body } = await app.inject({ url: '/users/1' });
    expect(JSON.parse(body)).toMatchObject({ username });
  };
  try {
    await hits();
    await rename('before');
    await hits();
    for (const primary of await cluster.primaries()) {
      await cluster.failOver(await cluster.replicaOf(primary));
    }
    await rename('after');
    await hits();
    expect(lines.join('')).not.toMatch(/of-nodes/);
  } finally {
    await app.close();
    await cluster.stop();
  }
});
