/** The service over Redis Sentinel, by its variables. */
import { expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { SentinelCluster } from '../support/sentinel-cluster.js';
import { createDatabase } from '../support/shared-postgres.js';
import { startLoggedService } from './support/logged-service.js';

it('hits, and hits again after a failover, and logs no password', async () => {
  const cluster = await SentinelCluster.start({
    password: 'of-servers',
    sentinelPassword: 'of-sentinels',
  });
  const service = await startLoggedService(await createDatabase(), {
    REDIS_SENTINELS: cluster.sentinels.map(({ port }) => `127.0.0.1:${port}`).join(','),
    REDIS_SENTINEL_NAME: cluster.name,
    REDIS_SENTINEL_PASSWORD: 'of-sentinels',
    REDIS_PASSWORD: 'of-servers',
    REDIS_TIMEOUT_MS: '5000',
  });
  const { app, lines } = service;
  const hits = () =>
    eventually(async () => {
      const { headers } = await app.inject({ url: '/users/1' });
      expect(headers['cache-status']).toMatch(/^tidemark; hit/);
    });
  try {
    await hits();
    const keys = await cluster.command(await cluster.primary(), 'KEYS', 'tidemark:*');
    expect(keys).not.toEqual([]);
    await cluster.failOver();
    await eventually(() => expect(lines.join('')).toContain('is available again'));
    await hits();
    expect(lines.join('')).toContain(`Redis at ${cluster.name}/0 of the sentinels 127.0.0.1:`);
    expect(lines.join('')).not.toMatch(/of-servers|of-sentinels/);
  } finally {
    await app.close();
    await cluster.stop();
  }
});
