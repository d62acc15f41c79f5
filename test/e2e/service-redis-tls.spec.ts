/** The service over a Redis that requires TLS and a certificate of each client, by its variables. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Redis } from 'ioredis';
import { Certificates, hasOpenssl } from '../support/certificates.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/free-port.js';
import { RedisServer } from '../support/redis-server.js';
import { createDatabase } from '../support/shared-postgres.js';
import { startLoggedService } from './support/logged-service.js';

const USER = ['watcher', 'on', '>of-sentinels', '+subscribe', '+sentinel', 'allchannels'];
const DATABASE = 3;

describe.skipIf(!hasOpenssl)('the service over TLS', () => {
  let certificates: Certificates;
  let files: Readonly<Record<string, string>>;
  let server: RedisServer;
  let sentinel: RedisServer;
  let [tlsPort, sentinelPort] = [0, 0];

  beforeAll(async () => {
    certificates = await Certificates.create();
    files = {
      REDIS_TLS_CA: certificates.path('ca.crt'),
      REDIS_TLS_CERT: certificates.path('client.crt'),
      REDIS_TLS_KEY: certificates.path('client.key'),
    };
    [tlsPort, sentinelPort] = [await freePort(), await freePort()];
    server = await RedisServer.start({ config: certificates.redisConfig(tlsPort) });
    sentinel = await RedisServer.start({
      isSentinel: true,
      config: { ...certificates.redisConfig(sentinelPort), 'tls-replication': 'yes' },
    });
    await sentinel.command('SENTINEL', 'MONITOR', 'mymaster', '127.0.0.1', `${tlsPort}`, '1');
    await sentinel.command('ACL', 'SETUSER', ...USER);
  });

  afterAll(async () => {
    await Promise.all([sentinel.stop(), server.stop()]);
    await certificates.remove();
  });

  async function keysOf(database: number): Promise<number> {
    const client = new Redis(server.port, { db: database });
    const count = await client.dbsize();
    client.disconnect();
    return count;
  }

  it.each<[string, () => Record<string, string>]>([
    ['a URL', () => ({ REDIS_URL: `rediss://localhost:${tlsPort}/${DATABASE}` })],
    [
      'a Sentinel, as a user of its own',
      () => ({
        REDIS_SENTINELS: `localhost:${sentinelPort}`,
        REDIS_SENTINEL_NAME: 'mymaster',
        REDIS_SENTINEL_USERNAME: 'watcher',
        REDIS_SENTINEL_PASSWORD: 'of-sentinels',
        REDIS_DATABASE: String(DATABASE),
        REDIS_TLS: 'true',
      }),
    ],
  ])('answers from the cache by %s, with its keys in the given database', async (_by, place) => {
    const service = await startLoggedService(await createDatabase(), {
      SEED_USERS: '1',
      REDIS_TIMEOUT_MS: '5000',
      ...place(),
      ...files,
    });
    try {
      await eventually(async () => {
        const { headers, statusCode } = await service.app.inject({ url: '/users/1' });
        expect(statusCode).toBe(200);
        expect(headers['cache-status']).toMatch(/^tidemark; hit/);
      });
      expect(await keysOf(DATABASE)).toBeGreaterThan(0);
      expect(await keysOf(0)).toBe(0);
      expect(service.lines.join('')).not.toContain('of-sentinels');
    } finally {
      await service.app.close();
    }
  });

  it('answers from the database without the authority, and its log names the variable', async () => {
    const service = await startLoggedService(await createDatabase(), {
      SEED_USERS: '1',
      REDIS_URL: `rediss://localhost:${tlsPort}`,
    });
    try {
      const { headers, statusCode } = await service.app.inject({ url: '/users/1' });
      expect(statusCode).toBe(200);
      expect(headers['cache-status']).not.toContain('hit');
      await eventually(() =>
        expect(service.lines.join('')).toMatch(
          /Redis at rediss:\/\/localhost:\d+\/0 is not available \(TLS failed: .*REDIS_TLS_CA/,
        ),
      );
    } finally {
      await service.app.close();
    }
  });
});
