/** The compose file of Redis Sentinel agrees with the service and with the plain file. No engine is needed. */
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/config.js';
import { interpolate, readCompose, texts } from '../support/compose-file.js';

describe('docker-compose.sentinel.yml', () => {
  const { services: plain } = readCompose('docker-compose.yml');
  const { services: added } = readCompose('docker-compose.sentinel.yml');
  const servers = ['redis', 'redis-replica-1', 'redis-replica-2'];
  const sentinels = ['sentinel-1', 'sentinel-2', 'sentinel-3'];
  const commandOf = (name: string) => added[name]?.command?.at(-1) ?? '';
  const settingOf = (name: string, setting: string) =>
    Number(new RegExp(`${setting} (\\d+)`).exec(commandOf(name))?.[1]);

  it('adds replicas and Sentinels, restarted and watched, each under its name', () => {
    expect(Object.keys(added)).toEqual(['tidemark', ...servers, ...sentinels]);
    for (const [name, service] of Object.entries(added)) {
      if (name === 'tidemark') continue;
      expect(service.hostname).toBe(name);
      const { restart, healthcheck } = { ...plain[name], ...service };
      expect(restart).toBe('unless-stopped');
      expect(healthcheck?.test[0]).toBe('CMD-SHELL');
      expect(service.ports).toBeUndefined();
      for (const needed of Object.keys(service.depends_on ?? {}))
        expect(added).toHaveProperty(needed);
    }
  });

  it('gives the service an environment that it accepts, with the Sentinels in the file', () => {
    const passwords = { POSTGRES_PASSWORD: 'secret1', REDIS_PASSWORD: 'secret2' };
    const both = {
      ...plain['tidemark']?.environment,
      ...added['tidemark']?.environment,
    };
    const env = Object.entries(both).map(([name, text]) => [name, interpolate(text, passwords)]);
    const { redisUrl, redisSentinels } = parseConfig(Object.fromEntries(env));
    expect(redisUrl).toBeUndefined();
    expect(redisSentinels).toEqual({
      sentinels: sentinels.map((host) => ({ host, port: 26_379 })),
      name: 'mymaster',
      sentinelPassword: 'secret2',
      password: 'secret2',
      username: undefined,
    });
    for (const name of sentinels) {
      expect(commandOf(name)).toContain('sentinel monitor mymaster redis 6379 2');
    }
  });

  it('lets a primary that is cut off refuse writes before another one is promoted', () => {
    for (const name of servers) {
      expect(settingOf(name, '--min-replicas-to-write')).toBe(1);
      // A second until an answer is missing, and one until the server looks for it.
      const refusedAfterMs = (settingOf(name, '--min-replicas-max-lag') + 2) * 1_000;
      const noticedAfterMs = parseConfig({}).redisTimeoutMs;
      const downAfterMs = settingOf('sentinel-1', 'down-after-milliseconds mymaster');
      expect(refusedAfterMs + noticedAfterMs).toBeLessThan(downAfterMs);
    }
  });

  it('bounds each server so that versions and marks are never evicted', () => {
    for (const name of servers) {
      expect(commandOf(name)).toMatch(/--maxmemory \d+mb --maxmemory-policy volatile-lru/);
    }
  });

  it('holds no secret', () => {
    const secrets = texts(added).filter(([path]) => /PASSWORD|AUTH/.test(path));
    expect(secrets.length).toBeGreaterThanOrEqual(5);
    for (const [, text] of secrets) expect(text).toMatch(/^\$\{REDIS_PASSWORD:\?[^}]+\}$/);
  });
});
