/**
 * Finds a Redis server program for the tests, and installs one where there is none.
 *
 * In order: the program REDIS_SERVER names; `redis-server` or `valkey-server` on the path; the
 * Debian package, as root; a wrapper that runs the official image in Docker.
 */
import { spawnSync } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdtempSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

const PROGRAMS = ['redis-server', 'valkey-server'];
const POLICY = '/usr/sbin/policy-rc.d';

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function onPath(names) {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isProgram);
}

/** Keeps the package from starting a service on port 6379, now; `undo` lets others start again. */
function withoutServiceStart(work) {
  const hadPolicy = existsSync(POLICY);
  if (!hadPolicy) {
    writeFileSync(POLICY, '#!/bin/sh\nexit 101\n');
    chmodSync(POLICY, 0o755);
  }
  try {
    return work();
  } finally {
    if (!hadPolicy) rmSync(POLICY, { force: true });
  }
}

function installOnDebian() {
  if (process.getuid?.() !== 0 || !onPath(['apt-get'])) return undefined;
  console.error(
    'No Redis server found: installing the Debian package redis-server (not started as a service).',
  );
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const run = (program, ...args) =>
    spawnSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'], env }).status === 0;
  const installed = withoutServiceStart(
    () =>
      run('apt-get', '-qq', 'update') &&
      run('apt-get', '-qq', 'install', '-y', '--no-install-recommends', 'redis-server'),
  );
  // The package enables the service for the next boot; the tests have no use for it.
  if (installed && onPath(['systemctl'])) {
    spawnSync('systemctl', ['disable', 'redis-server'], { stdio: 'ignore' });
  }
  return onPath(PROGRAMS);
}

/** A program that behaves as `redis-server` does: same arguments, same signals, same network. */
function dockerWrapper() {
  if (!onPath(['docker'])) return undefined;
  if (spawnSync('docker', ['info'], { stdio: 'ignore', timeout: 10_000 }).status !== 0)
    return undefined;
  if (spawnSync('docker', ['pull', '--quiet', 'redis:8'], { stdio: 'inherit' }).status !== 0)
    return undefined;
  const wrapper = join(mkdtempSync(join(tmpdir(), 'tidemark-redis-')), 'redis-server');
  const temporary = tmpdir();
  writeFileSync(
    wrapper,
    `#!/bin/sh\nexec docker run --rm --init --network host --user "$(id -u):$(id -g)" ` +
      `-v "${temporary}:${temporary}" -w "$PWD" --entrypoint redis-server redis:8 "$@"\n`,
  );
  chmodSync(wrapper, 0o755);
  console.error('No Redis server found: running redis:8 in Docker.');
  return wrapper;
}

/** The path of a Redis server program. Throws with one line that says what to install. */
export function redisServerBinary() {
  const named = process.env.REDIS_SERVER;
  if (named && !isProgram(named)) {
    throw new Error(`REDIS_SERVER names ${named}, which is not a program: correct or unset it.`);
  }
  const found = named || onPath(PROGRAMS) || installOnDebian() || dockerWrapper();
  if (!found) {
    throw new Error(
      'The tests need a Redis server: install redis-server or valkey-server, or set REDIS_SERVER to its path.',
    );
  }
  return found;
}
