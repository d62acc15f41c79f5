import { describe, expect, it } from 'vitest';
import type { Redis } from 'ioredis';
import { readServerInfo, type ServerMode } from './server-info.js';

const RUN_ID = 'e0abe2248cad0c6d9cb2445d8e6b73448f567f74';

const REDIS = { redis_version: '7.0.15', redis_mode: 'standalone' };
/**
 * As Valkey 8.1 answers, without its `extended-redis-compatibility`. `npm run test:redis-servers` asks real servers, also
 * nodes of a cluster and Sentinels.
 */
const VALKEY = {
  redis_version: '7.2.4',
  server_name: 'valkey',
  valkey_version: '8.1.1',
  server_mode: 'standalone',
};

function infoOf(fields: Readonly<Record<string, string>>, expected: ServerMode = 'standalone') {
  const all = { ...fields, run_id: RUN_ID, maxmemory_policy: 'noeviction', role: 'master' };
  const lines = Object.entries({ ...all, ...fields }).map(([name, value]) => `${name}:${value}`);
  const text = ['# Server', ...lines, ''].join('\r\n');
  const client = { info: async () => text, options: { db: 0 } } as unknown as Redis;
  return readServerInfo(client, expected);
}

describe('INFO', () => {
  it.each([
    ['Redis', REDIS],
    ['Valkey', VALKEY],
  ])('of a primary of %s finds it fit', async (_server, fields) => {
    expect(await infoOf(fields)).toEqual({
      runId: RUN_ID,
      evictionPolicy: 'noeviction',
      unfitness: undefined,
    });
  });

  it.each([
    [
      'a node of Redis Cluster',
      { ...REDIS, redis_mode: 'cluster' },
      /cluster mode.*`redis\.cluster` \(REDIS_CLUSTER\)/,
    ],
    ['a node of a Valkey cluster', { ...VALKEY, server_mode: 'cluster' }, /REDIS_CLUSTER/],
    ['a Sentinel of Redis', { ...REDIS, redis_mode: 'sentinel' }, /Sentinel.*`sentinels`/],
    ['a Sentinel of Valkey', { ...VALKEY, server_mode: 'sentinel' }, /Sentinel.*`sentinels`/],
    ['a replica', { ...VALKEY, role: 'slave' }, /replica/],
    ['Redis 6', { ...REDIS, redis_version: '6.2.14' }, /6\.2\.14.*use 7 or later/],
  ])('of %s says why it is unfit', async (_server, fields, reason) => {
    expect((await infoOf(fields)).unfitness).toMatch(reason);
  });

  it('of a node is fit where a cluster is expected, and that of a server alone is not', async () => {
    const ofNode = await infoOf({ ...REDIS, redis_mode: 'cluster' }, 'cluster');
    const ofServer = await infoOf(REDIS, 'cluster');
    expect(ofNode.unfitness).toBeUndefined();
    expect(ofServer.unfitness).toMatch(/standalone mode.*`redis\.url` \(REDIS_URL\)/);
  });

  it('without a run_id is refused with the remedy', async () => {
    await expect(infoOf({ ...REDIS, run_id: '' })).rejects.toThrow(/no run_id.*use a Redis/);
  });
});
