/** `npm run cache:triggers`: the command of the library with the configuration of the service. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { beforeAll, expect, it } from 'vitest';
import { DataSource } from 'typeorm';
import { dataSourceOptions } from '../../src/database/data-source.js';
import { migrate } from '../../src/database/migrate.js';
import { createDatabase } from '../support/shared-postgres.js';

const ROOT = join(import.meta.dirname, '../..');

let url: string;

beforeAll(async () => {
  url = await createDatabase();
  const source = await new DataSource(dataSourceOptions({ url, poolSize: 1 })).initialize();
  await migrate(source);
  await source.destroy();
});

async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { PATH } = process.env;
  const child = spawn('npm', ['run', '--silent', 'cache:triggers', '--', ...args], {
    cwd: ROOT,
    env: { PATH, DATABASE_URL: url, CACHE_NAMESPACE: 'service', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [[code], output, errors] = await Promise.all([
    once(child, 'close') as Promise<[number]>,
    text(child.stdout),
    text(child.stderr),
  ]);
  return { code, output: output.split('\n').filter((line) => line !== ''), errors };
}

it('--install, --check: the states of the tables and the outbox of CACHE_NAMESPACE', async () => {
  expect(await run(['--install'])).toMatchObject({
    code: 0,
    output: ['Installed on public.users.'],
  });
  expect(await run(['--check'])).toEqual({
    code: 0,
    output: [
      'installed  public.users',
      expect.stringMatching(/^tidemark_service: 1 rows, the oldest [0-9.]+ s old$/),
    ],
    errors: '',
  });
});

it('a wrong variable: an error that names it', async () => {
  const env = { DATABASE_POOL: 'many' };
  const errors = expect.stringContaining('DATABASE_POOL') as string;
  expect(await run(['--check'], env)).toEqual({ code: 1, output: [], errors });
});

it('a database that does not exist: an error with the remedy', async () => {
  const env = { DATABASE_URL: `${url}_not` };
  const errors = expect.stringMatching(/does not exist.*DATABASE_URL/) as string;
  expect(await run(['--check'], env)).toEqual({ code: 1, output: [], errors });
});

it('no flag: the usage, and exit code 2', async () => {
  expect(await run([])).toMatchObject({ code: 2 });
});
