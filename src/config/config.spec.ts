import { describe, expect, it } from 'vitest';
import { ConfigError, configVariables, parseConfig } from './config.js';

function problemsOf(env: Record<string, string>) {
  try {
    parseConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  throw new Error('the environment was accepted');
}

describe('parseConfig', () => {
  it('has defaults for all settings except addresses, secrets and the release', () => {
    expect(parseConfig({})).toEqual({
      port: 3000,
      host: '0.0.0.0',
      shutdownDrainMs: 5000,
      databaseUrl: undefined,
      databasePool: 10,
      databaseTimeoutMs: 10_000,
      databaseQueue: 100,
      redisUrl: undefined,
      redisSentinels: undefined,
      redisTls: undefined,
      redisCluster: undefined,
      redisTimeoutMs: 500,
      cacheMode: 'serve',
      cacheTtlMs: 300_000,
      cacheTtlJitter: 0.1,
      cacheMaxStalenessMs: 0,
      cacheL1Bytes: 67_108_864,
      cacheVerifyPlans: 0.01,
      cacheAudit: 0.0001,
      cacheWritePolicy: 'commit',
      cacheNamespace: 'tidemark',
      cacheRelease: undefined,
      cacheEntrySecrets: undefined,
      cacheAdminToken: undefined,
      cacheAdminActions: false,
      seedUsers: 10_000,
      logLevel: 'info',
    });
  });

  it('returns a frozen object', () => {
    expect(Object.isFrozen(parseConfig({}))).toBe(true);
  });

  it.each([
    ['PORT', '0', { port: 0 }],
    ['HOST', '::1', { host: '::1' }],
    ['HOST', 'localhost', { host: '127.0.0.1' }],
    ['DATABASE_URL', 'postgres://u@h/d', { databaseUrl: 'postgres://u@h/d', seedUsers: 0 }],
    ['REDIS_URL', 'rediss://:pw@h:6380/2', { redisUrl: 'rediss://:pw@h:6380/2' }],
    ['CACHE_TTL', '60', { cacheTtlMs: 60_000 }],
    ['CACHE_TTL_JITTER', '0', { cacheTtlJitter: 0 }],
    ['CACHE_TTL_JITTER', '0.5', { cacheTtlJitter: 0.5 }],
    ['CACHE_L1_BYTES', '64MB', { cacheL1Bytes: 67_108_864 }],
    ['CACHE_L1_BYTES', '1 GiB', { cacheL1Bytes: 1_073_741_824 }],
    ['CACHE_L1_BYTES', '1048576', { cacheL1Bytes: 1_048_576 }],
    ['CACHE_VERIFY_PLANS', '1', { cacheVerifyPlans: 1 }],
    ['CACHE_AUDIT', '0', { cacheAudit: 0 }],
    ['CACHE_RELEASE', 'v1.2.0+4f1c', { cacheRelease: 'v1.2.0+4f1c' }],
    ['CACHE_MODE', 'shadow', { cacheMode: 'shadow' }],
    ['CACHE_WRITE_POLICY', 'refuse', { cacheWritePolicy: 'refuse' }],
    [
      'CACHE_ENTRY_SECRET',
      'sixteen-letters-, the-one-before-it',
      { cacheEntrySecrets: ['sixteen-letters-', 'the-one-before-it'] },
    ],
    ['CACHE_ADMIN_TOKEN', 'sixteen-letters-', { cacheAdminToken: 'sixteen-letters-' }],
    ['CACHE_ADMIN_ACTIONS', 'true', { cacheAdminActions: true }],
    ['SEED_USERS', '0', { seedUsers: 0 }],
    ['LOG_LEVEL', ' debug ', { logLevel: 'debug' }],
    ['PORT', '', { port: 3000 }],
  ])('reads %s=%s', (name, value, expected) => {
    expect(parseConfig({ [name]: value })).toMatchObject(expected);
  });

  it.each([
    ['PORT', '65536'],
    ['PORT', '3e3'],
    ['PORT', '-1'],
    ['HOST', 'two words'],
    ['SHUTDOWN_DRAIN_MS', '20001'],
    ['DATABASE_URL', 'mysql://h/d'],
    ['DATABASE_URL', 'h:5432'],
    ['DATABASE_POOL', '0'],
    ['REDIS_URL', 'http://h'],
    ['REDIS_SENTINELS', 'a:26379,'],
    ['REDIS_SENTINELS', 'a:65536'],
    ['REDIS_SENTINELS', '::1:26379'],
    ['REDIS_SENTINELS', 'redis://a:26379'],
    ['REDIS_DATABASE', '-1'],
    ['REDIS_TLS', 'yes'],
    ['REDIS_TLS_CA', '/no/such/file.pem'],
    ['REDIS_TLS_CERT', 'package.json'],
    ['REDIS_TLS_KEY', 'package.json'],
    ['REDIS_CLUSTER', 'redis://a:6379'],
    ['REDIS_CLUSTER', 'a:0'],
    ['REDIS_TIMEOUT_MS', '1'],
    ['CACHE_TTL', '0'],
    ['CACHE_TTL', '1.5'],
    ['CACHE_TTL_JITTER', '0.51'],
    ['CACHE_MAX_STALENESS_MS', 'never'],
    ['CACHE_L1_BYTES', '64M'],
    ['CACHE_L1_BYTES', '64 potatoes'],
    ['CACHE_L1_BYTES', '1023KB'],
    ['CACHE_VERIFY_PLANS', '1.5'],
    ['CACHE_AUDIT', '1.5'],
    ['CACHE_MODE', 'on'],
    ['CACHE_WRITE_POLICY', 'Commit'],
    ['CACHE_NAMESPACE', 'a{b}'],
    ['CACHE_RELEASE', 'a release'],
    ['CACHE_ENTRY_SECRET', 'sixteen-letters-,short'],
    ['CACHE_ADMIN_TOKEN', 'fifteen-letters'],
    ['CACHE_ADMIN_TOKEN', 'sixteen letters-'],
    ['CACHE_ADMIN_ACTIONS', 'yes'],
    ['SEED_USERS', 'many'],
    ['LOG_LEVEL', 'loud'],
  ])('refuses %s=%s with a problem and a remedy', (name, value) => {
    const problems = problemsOf({ [name]: value });
    expect(problems.map(({ variable }) => variable)).toEqual([name]);
    expect(problems[0]?.problem).toMatch(/^(is|has|names) /);
    expect(problems[0]?.remedy).not.toBe('see .env.example');
  });

  it('reads the addresses of Sentinels, with their names and passwords', () => {
    const env = {
      REDIS_SENTINELS: 'one:26380, two ,[2001:db8::3]:26381',
      REDIS_SENTINEL_NAME: 'mymaster',
      REDIS_SENTINEL_USERNAME: 'watcher',
      REDIS_SENTINEL_PASSWORD: 'of-sentinels',
      REDIS_USERNAME: 'tidemark',
      REDIS_PASSWORD: 'of-servers',
      REDIS_DATABASE: '3',
    };
    expect(parseConfig(env).redisSentinels).toEqual({
      sentinels: [
        { host: 'one', port: 26_380 },
        { host: 'two', port: 26_379 },
        { host: '2001:db8::3', port: 26_381 },
      ],
      name: 'mymaster',
      sentinelUsername: 'watcher',
      sentinelPassword: 'of-sentinels',
      username: 'tidemark',
      password: 'of-servers',
      database: 3,
    });
  });

  it('reads the addresses of a cluster, with user and password of its nodes', () => {
    const env = {
      REDIS_CLUSTER: 'one:7000,two',
      REDIS_USERNAME: 'tidemark',
      REDIS_PASSWORD: 'of-nodes',
    };
    expect(parseConfig(env).redisCluster).toEqual({
      cluster: [
        { host: 'one', port: 7000 },
        { host: 'two', port: 6379 },
      ],
      username: 'tidemark',
      password: 'of-nodes',
    });
  });

  it.each([
    [
      'a cluster beside a URL',
      { REDIS_CLUSTER: 'a', REDIS_URL: 'redis://h' },
      'REDIS_CLUSTER is set beside REDIS_URL: remove one of them.',
    ],
    [
      'a cluster beside Sentinels',
      { REDIS_CLUSTER: 'a', REDIS_SENTINELS: 'b', REDIS_SENTINEL_NAME: 'm' },
      'REDIS_CLUSTER is set beside REDIS_SENTINELS: remove one of them.',
    ],
    [
      'Sentinels beside a URL',
      { REDIS_SENTINELS: 'a', REDIS_SENTINEL_NAME: 'm', REDIS_URL: 'redis://h' },
      'REDIS_SENTINELS is set beside REDIS_URL: remove one of them.',
    ],
    ['Sentinels without a name', { REDIS_SENTINELS: 'a' }, /^REDIS_SENTINEL_NAME is absent: set/],
    [
      'a database beside a URL',
      { REDIS_URL: 'redis://h', REDIS_DATABASE: '3' },
      'REDIS_DATABASE is set beside REDIS_URL: remove it, and end REDIS_URL with /<number>.',
    ],
    [
      'a database beside a cluster',
      { REDIS_CLUSTER: 'a', REDIS_DATABASE: '3' },
      'REDIS_DATABASE is set beside REDIS_CLUSTER: remove it, a cluster has database 0 alone.',
    ],
    ['a name alone', { REDIS_SENTINEL_NAME: 'm' }, /^REDIS_SENTINELS is absent beside .*: set/],
  ])('refuses %s', (_what, env, message) => {
    expect(() => parseConfig(env)).toThrow(message);
  });

  it('takes the password that docker compose has in .env beside a URL', () => {
    const env = { REDIS_URL: 'redis://h', REDIS_PASSWORD: 'for-compose' };
    expect(parseConfig(env).redisSentinels).toBeUndefined();
    expect(parseConfig(env).redisCluster).toBeUndefined();
  });

  it('reports all problems together', () => {
    const problems = problemsOf({ PORT: 'x', CACHE_TTL: 'y', REDIS_CLUSTER: 'z:' });
    expect(problems.map(({ variable }) => variable)).toEqual([
      'PORT',
      'REDIS_CLUSTER',
      'CACHE_TTL',
    ]);
  });

  it.each(['DATABASE_URL', 'REDIS_URL', 'CACHE_ENTRY_SECRET', 'CACHE_ADMIN_TOKEN'])(
    'omits the value of %s from its error',
    (name) => {
      expect(JSON.stringify(problemsOf({ [name]: 'x-s3cret' }))).not.toContain('s3cret');
    },
  );

  it('lists every variable once', () => {
    expect(new Set(configVariables).size).toBe(configVariables.length);
    expect(configVariables).toHaveLength(36);
  });
});
