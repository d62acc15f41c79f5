/**
 * `npm test`: makes sure of a Redis server, Chromium and a build, then runs vitest with the arguments given.
 * Unit tests need none of them.
 *
 * `--long` (`npm run test:long`) runs every test at full length, and some once more on a PostgreSQL of
 * the system, which it makes sure of too (test/README.md).
 */
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { chromiumBinary } from './chromium-binary.mjs';
import { redisServerBinary } from './redis-server-binary.mjs';
import { systemPostgres } from './system-postgres.mjs';

const root = join(import.meta.dirname, '..');
const given = process.argv.slice(2);
const args = given.filter((argument) => argument !== '--long');
const isLong = args.length < given.length;
const project = args[args.indexOf('--project') + 1];
const selectsSome = args.includes('--project');
const onlyUnit = selectsSome && project === 'unit';
const env = { ...process.env, ...(isLong ? { TIDEMARK_LONG_TESTS: '1' } : {}) };
// Where it is set, vitest.config.ts has the tests on it among the others.
delete env.SYSTEM_POSTGRES_BIN;

if (!onlyUnit) {
  const build = spawnSync(process.execPath, [join(root, 'scripts/build.mjs'), '--if-stale'], {
    stdio: 'inherit',
  });
  if (build.status !== 0) process.exit(build.status ?? 1);
  try {
    env.REDIS_SERVER = redisServerBinary();
    env.CHROMIUM = chromiumBinary();
    if ((isLong && !selectsSome) || project === 'system') {
      const folder = systemPostgres();
      if (folder) env.SYSTEM_POSTGRES_BIN = folder;
      else console.error('No PostgreSQL of the system found: its tests are left out.');
    }
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
}

const vitest = spawn(
  process.execPath,
  [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...args],
  {
    stdio: 'inherit',
    cwd: root,
    env,
  },
);
// Ctrl-C reaches vitest by itself; this process only waits for it to clean up.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => vitest.kill('SIGTERM'));
vitest.on('exit', (code, signal) => {
  process.exitCode = signal ? 1 : (code ?? 1);
});
