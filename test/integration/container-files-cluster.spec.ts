/** The compose file of Redis Cluster agrees with the service and with the plain file. No engine is needed. */
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/config.js';
import { interpolate, readCompose, texts } from '../support/compose-file.js';

describe('docker-compose.cluster.yml', () => {
  const { services: plain } = readCompose('docker-compose.yml');
  const { services: added } = readCompose('docker-compose.cluster.yml');
  const nodes = ['redis', 'redis-2', 'redis-3', 'redis-4', 'redis-5', 'redis-6'];
  const commandOf = (name: string) => added[name]?.command?.at(-1) ?? '';

  it('adds nodes, restarted and watched, each under its name, and makes one cluster of them', () => {
    expect(Object.keys(added)).toEqual(['tidemark', ...nodes, 'redis-cluster']);
    for (const name of nodes) {
      const { restart, healthcheck, hostname, ports } = { ...plain[name], ...added[name] };
      expect([hostname, restart, ports]).toEqual([name, 'unless-stopped', undefined]);
      expect(healthcheck?.test[0]).toBe('CMD-SHELL');
    }
    expect(Object.keys(added['redis-cluster']?.depends_on ?? {})).toEqual(nodes);
    expect(commandOf('redis-cluster')).toContain(`for name in ${nodes.join(' ')}; do`);
    expect(Object.keys(added['tidemark']?.depends_on ?? {})).toEqual(['redis-cluster']);
  });

  it('gives the service an environment that it accepts, with nodes in the file', () => {
    const passwords = { POSTGRES_PASSWORD: 'secret1', REDIS_PASSWORD: 'secret2' };
    const both = { ...plain['tidemark']?.environment, ...added['tidemark']?.environment };
    const env = Object.entries(both).map(([name, text]) => [name, interpolate(text, passwords)]);
    const { redisUrl, redisCluster } = parseConfig(Object.fromEntries(env));
    expect(redisUrl).toBeUndefined();
    expect(redisCluster).toEqual({
      cluster: nodes.slice(0, 3).map((host) => ({ host, port: 6379 })),
      password: 'secret2',
      username: undefined,
    });
  });

  it('serves the slots of the nodes that are left, and never evicts versions and marks', () => {
    for (const name of nodes) {
      expect(commandOf(name)).toContain('--cluster-require-full-coverage no');
      expect(commandOf(name)).toMatch(/--maxmemory \d+mb --maxmemory-policy volatile-lru/);
    }
  });

  it('holds no secret', () => {
    const secrets = texts(added).filter(([path]) => /PASSWORD|AUTH/.test(path));
    expect(secrets.length).toBeGreaterThanOrEqual(5);
    for (const [, text] of secrets) expect(text).toMatch(/^\$\{REDIS_PASSWORD:\?[^}]+\}$/);
  });
});
