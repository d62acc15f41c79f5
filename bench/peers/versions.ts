/** The version of everything that takes part, as installed. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PostgresServer } from '../../test/support/postgres-server.js';

const BENCH = join(import.meta.dirname, '..');
const ROOT = join(BENCH, '..');
const PACKAGES = [
  'typeorm',
  'pg',
  'ioredis',
  '@nestjs/core',
  '@nestjs/cache-manager',
  'cache-manager',
  'keyv',
  '@keyv/redis',
  '@redis/client',
  'bentocache',
];

/** `redis` is the path of the server program; `more` are packages beside those of every run. */
export async function versions(
  postgres: PostgresServer,
  redis: string,
  more: readonly string[] = [],
): Promise<string> {
  const [server] = await postgres.psql<{ server_version: string }>('SHOW server_version');
  const packages = [...PACKAGES, ...more].map((name) => `${name} ${installed(name)}`);
  return [
    `tidemark ${versionIn(ROOT)}`,
    ...packages,
    `PostgreSQL ${server?.server_version ?? 'unknown'}`,
    redisVersion(redis),
    `Node ${process.versions.node}`,
  ].join(', ');
}

function redisVersion(program: string): string {
  const text = execFileSync(program, ['--version'], { encoding: 'utf8' });
  return `${text.split(' ')[0] ?? 'Redis'} ${/v=(\S+)/.exec(text)?.[1] ?? 'unknown'}`;
}

function installed(name: string): string {
  for (const folder of [BENCH, ROOT]) {
    try {
      return versionIn(join(folder, 'node_modules', name));
    } catch {
      continue;
    }
  }
  throw new Error(`${name} is not installed`);
}

function versionIn(folder: string): string {
  const text = readFileSync(join(folder, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
