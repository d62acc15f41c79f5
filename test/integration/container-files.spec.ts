/** The container files agree with the service and with each other. No engine is needed. */
import { describe, expect, it } from 'vitest';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { configVariables, parseConfig } from '../../src/config/config.js';
import { interpolate, readCompose, texts } from '../support/compose-file.js';

const ROOT = join(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

const COMPOSE_ONLY = ['POSTGRES_PASSWORD'];
/** docker-compose.sentinel.yml and docker-compose.cluster.yml set them, or their defaults are right there. */
const BY_OTHER_FILES = [
  'REDIS_SENTINELS',
  'REDIS_SENTINEL_NAME',
  'REDIS_SENTINEL_USERNAME',
  'REDIS_SENTINEL_PASSWORD',
  'REDIS_USERNAME',
  'REDIS_PASSWORD',
  'REDIS_DATABASE',
  'REDIS_TLS',
  'REDIS_TLS_CA',
  'REDIS_TLS_CERT',
  'REDIS_TLS_KEY',
  'REDIS_CLUSTER',
];
const HEALTH_CONDITION = 'service_healthy';

const compose = readCompose('docker-compose.yml');
const services = Object.entries(compose.services);
const example = parseEnv(read('.env.example'));

function serviceEnvironment(env: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(compose.services['tidemark']?.environment ?? {}).map(([name, text]) => [
      name,
      interpolate(text, env),
    ]),
  );
}

describe('.env.example', () => {
  it('lists every variable of the service, and those of docker compose, once', () => {
    const lines = read('.env.example').match(/^\w+(?==)/gm) ?? [];
    expect([...lines].sort()).toEqual([...configVariables, ...COMPOSE_ONLY].sort());
  });

  it('explains each variable in one line above it', () => {
    const lines = read('.env.example').split('\n');
    const unexplained = lines.filter(
      (line, index) => /^\w+=/.test(line) && !lines[index - 1]?.startsWith('# '),
    );
    expect(unexplained).toEqual([]);
  });

  it('changes nothing and holds no secret when copied as it is', () => {
    expect(parseConfig(example as Record<string, string>)).toEqual(parseConfig({}));
    expect(Object.values(example).filter(Boolean)).toEqual([]);
  });
});

describe('docker-compose.yml', () => {
  it('runs the service, PostgreSQL and Redis', () => {
    expect(services.map(([name]) => name).sort()).toEqual(['postgres', 'redis', 'tidemark']);
  });

  it.each(services)('restarts %s and watches its health', (_name, service) => {
    expect(service.restart).toBe('unless-stopped');
    expect(service.healthcheck?.test[0]).toMatch(/^CMD(-SHELL)?$/);
    expect(service.healthcheck?.test.length).toBeGreaterThan(1);
    expect(service.healthcheck?.test.every((part) => typeof part === 'string')).toBe(true);
  });

  it('takes every variable from .env, where .env.example names it', () => {
    const used = texts(compose).flatMap(([, text]) =>
      [...text.matchAll(/(?<!\$)\$\{?(\w+)/g)].map((match) => match[1]),
    );
    expect(used).toContain('POSTGRES_PASSWORD');
    expect(used.filter((name) => name === undefined || !(name in example))).toEqual([]);
  });

  it('holds no secret and refuses to start without one', () => {
    const secrets = texts(compose).filter(
      ([path, text]) =>
        /PASSWORD|AUTH|SECRET/.test(path) || /\/\/[^/]*:[^/]*@/.test(text) || /PASSWORD/.test(text),
    );
    expect(secrets.length).toBeGreaterThanOrEqual(5);
    for (const [, text] of secrets) {
      // Derived where it is absent.
      if (text === '${CACHE_ENTRY_SECRET:-}') continue;
      expect(text).toMatch(/^(\w+:\/\/\w*:)?\$\{\w+_PASSWORD:\?[^}]+\}(@[\w:/]+)?$/);
    }
    expect(() => serviceEnvironment({})).toThrow(/_PASSWORD: set it in .env/);
  });

  it('gives the service an environment that it accepts', () => {
    const env = { POSTGRES_PASSWORD: 'secret1', REDIS_PASSWORD: 'secret2' };
    const config = parseConfig(serviceEnvironment(env));
    expect(config.port).toBe(3000);
    expect(config.databaseUrl).toBe('postgres://tidemark:secret1@postgres:5432/tidemark');
    expect(config.redisUrl).toBe('redis://:secret2@redis:6379/0');

    const tuned = parseConfig(serviceEnvironment({ ...env, CACHE_TTL: '60', SEED_USERS: '5' }));
    expect([tuned.cacheTtlMs, tuned.seedUsers]).toEqual([60_000, 5]);
  });

  it('passes on every variable that it does not set itself', () => {
    const passed = Object.keys(compose.services['tidemark']?.environment ?? {});
    expect([...passed, ...BY_OTHER_FILES].sort()).toEqual([...configVariables].sort());
  });

  it('waits only for services that exist and report their health', () => {
    for (const [, service] of services) {
      for (const [name, { condition }] of Object.entries(service.depends_on ?? {})) {
        expect(compose.services).toHaveProperty(name);
        if (condition === HEALTH_CONDITION) {
          expect(compose.services[name]?.healthcheck).toBeDefined();
        }
      }
    }
    expect(compose.services['tidemark']?.depends_on?.['postgres']?.condition).toBe(
      HEALTH_CONDITION,
    );
  });

  it('keeps the database in a declared volume', () => {
    const named = services.flatMap(([, service]) =>
      (service.volumes ?? []).map((volume) => volume.split(':')[0]),
    );
    expect(named).toEqual(Object.keys(compose.volumes));
    expect(compose.services['postgres']?.volumes).toHaveLength(1);
  });

  it('bounds Redis so that versions and marks are never evicted', () => {
    const command = compose.services['redis']?.command ?? [];
    expect(command[command.indexOf('--maxmemory') + 1]).toMatch(/^\d+mb$/);
    expect(command[command.indexOf('--maxmemory-policy') + 1]).toBe('volatile-lru');
  });

  it('opens no port but that of the service', () => {
    const open = services.filter(([, service]) => service.ports !== undefined);
    expect(open.map(([name]) => name)).toEqual(['tidemark']);
  });
});

describe('Dockerfile', () => {
  const instructions = read('Dockerfile')
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => /^[A-Z]/.test(line))
    .map((line) => line.split(/\s+(.*)/s) as [word: string, rest: string]);
  const all = (word: string) =>
    instructions.filter(([first]) => first === word).map(([, rest]) => rest);
  const runtime = instructions.slice(instructions.findLastIndex(([word]) => word === 'FROM'));
  const ofRuntime = (word: string) =>
    runtime.filter(([first]) => first === word).map(([, rest]) => rest);

  it('copies only files that exist and are in the build context', () => {
    const kept = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const sources = all('COPY')
      .filter((rest) => !rest.startsWith('--from'))
      .flatMap((rest) => rest.split(/\s+/).slice(0, -1));
    expect(sources.length).toBeGreaterThan(0);
    expect(sources.filter((source) => !existsSync(join(ROOT, source)))).toEqual([]);
    expect(sources.filter((source) => !kept.includes(source))).toEqual([]);
  });

  it('takes from earlier stages only files that the build creates', () => {
    const stages = all('FROM').map((rest) => rest.split(/\s+AS\s+/)[1]);
    const taken = all('COPY').flatMap((rest) => {
      const match = /^--from=(\S+) \/app\/(\S+)/.exec(rest);
      return match === null ? [] : [{ stage: match[1], path: match[2] ?? '' }];
    });
    expect(taken.map(({ path }) => path).sort()).toEqual([
      'dist',
      'node_modules',
      'packages/tidemark/dist',
    ]);
    for (const { stage, path } of taken) {
      expect(stages).toContain(stage);
      expect(existsSync(join(ROOT, path))).toBe(true);
    }
  });

  it('runs the built service as an ordinary user', () => {
    const [command] = ofRuntime('CMD');
    const [program, script] = JSON.parse(command ?? '[]') as string[];
    expect(program).toBe('node');
    expect(script).toBe(
      (
        JSON.parse(read('package.json')) as { main?: string; scripts: Record<string, string> }
      ).scripts['start:prod']?.replace('exec node ', ''),
    );
    expect(existsSync(join(ROOT, script ?? ''))).toBe(true);
    expect(ofRuntime('USER')).toEqual(['node']);
  });

  it('installs without development packages and without the embedded database', () => {
    const install = all('RUN').find((rest) => rest.includes('--omit=dev'));
    expect(install).toContain('npm ci');
    expect(install).toContain('--omit=optional');
  });
});

describe('the health checks of the service', () => {
  const dockerfile = /HEALTHCHECK[^[]*CMD (\[.*\])$/m.exec(
    read('Dockerfile').replaceAll('\\\n', ' '),
  );
  const checks = [
    ['Dockerfile', '/health/live', JSON.parse(dockerfile?.[1] ?? '[]') as string[]],
    [
      'docker-compose.yml',
      '/health/ready',
      (compose.services['tidemark']?.healthcheck?.test ?? [])
        .slice(1)
        .map((text) => text.replaceAll('$$', '$')),
    ],
  ] as const;

  it.each(checks)('of %s pass while %s answers 2xx, and only then', async (_file, path, check) => {
    let status = 200;
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.writeHead(status).end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const [program = '', ...argv] = check;
    expect(program).toBe('node');
    const exitCode = async () => {
      const child = spawn(process.execPath, argv, { env: { PORT: String(port) } });
      return ((await once(child, 'exit')) as [number])[0];
    };

    try {
      expect(await exitCode()).toBe(0);
      status = 503;
      expect(await exitCode()).toBe(1);
    } finally {
      server.close();
      await once(server, 'close');
    }
    expect(await exitCode()).toBe(1);
    expect(asked).toEqual([path, path]);
  });
});
