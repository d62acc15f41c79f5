/**
 * Finds a Redis server program for the tests, and installs one where there is none.
 *
 * In order: the program REDIS_SERVER names; `redis-server` or `valkey-server` on the path; the
 * Debian package, as root; the server taken out of the official Docker image.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installDebianPackage, isProgram, onPath } from './debian-package.mjs';

const PROGRAMS = ['redis-server', 'valkey-server'];
const IMAGE = 'redis:8';

function installOnDebian() {
  installDebianPackage('redis-server', 'No Redis server found');
  return onPath(PROGRAMS);
}

/** Run in the image: copies the server with every library it loads, and its loader, to /out. */
const COPY_SERVER = `set -e
server=$(command -v redis-server)
cp -L "$server" /out/server
for file in $(ldd "$server" | grep -o '/[^ ]*'); do cp -L "$file" /out/; done
loader=$(ldd "$server" | grep -o '/[^ ]*/ld-[^ ]*' | head -n 1)
cp -L "$loader" /out/loader
chmod -R a+rX /out`;

/**
 * The server of the official image, run on this machine without a container: the tests kill and
 * pause it, and signals to `docker run` would not reach it.
 */
function fromDocker() {
  if (process.platform !== 'linux' || !onPath(['docker'])) return undefined;
  const docker = (...args) =>
    spawnSync('docker', args, { stdio: ['ignore', 'ignore', 'inherit'] }).status === 0;
  if (!docker('version')) return undefined;
  console.error(`No Redis server found: taking it from the Docker image ${IMAGE}.`);
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-redis-server-'));
  const volume = `${folder}:/out`;
  if (!docker('run', '--rm', '-v', volume, '--entrypoint', 'sh', IMAGE, '-c', COPY_SERVER)) {
    return undefined;
  }
  const program = join(folder, 'redis-server');
  const start = `exec "${folder}/loader" --library-path "${folder}" "${folder}/server" "$@"`;
  writeFileSync(program, `#!/bin/sh\n${start}\n`, { mode: 0o755 });
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0 ? program : undefined;
}

/** The path of a Redis server program. Throws with one line that says what to install. */
export function redisServerBinary() {
  const named = process.env.REDIS_SERVER;
  if (named && !isProgram(named)) {
    throw new Error(`REDIS_SERVER names ${named}, which is not a program: correct or unset it.`);
  }
  const found = named || onPath(PROGRAMS) || installOnDebian() || fromDocker();
  if (!found) {
    throw new Error(
      'The tests need a Redis server: install redis-server or valkey-server, or set REDIS_SERVER to its path.',
    );
  }
  return found;
}
