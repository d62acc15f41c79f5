/**
 * `npm run test:redis-servers`: the specs that Redis itself decides, over Redis and Valkey as Debian's next release has
 * them, newer than those of the machine. The servers run from a temporary folder with the libraries that they need.
 *
 * Arguments are paths of specs to run instead.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unpackDebianPackages } from './debian-package.mjs';

const RELEASE = 'trixie';
const SERVERS = ['redis-server', 'valkey-server'];
const SPECS = ['test/contract/', 'test/redis/', 'faults/steps'];

/** A program that starts the unpacked server with the C library that was unpacked with it. */
function startable(server, folder) {
  const libraries = join(folder, 'usr/lib');
  const platform = readdirSync(libraries).find((name) => name.endsWith('-linux-gnu'));
  const files = join(libraries, platform);
  const loader = readdirSync(files).find((name) => name.startsWith('ld-linux'));
  const program = join(folder, server);
  const start = `exec "${files}/${loader}" --library-path "${files}" "${folder}/usr/bin/${server}" "$@"`;
  writeFileSync(program, `#!/bin/sh\n${start}\n`, { mode: 0o755 });
  return program;
}

const given = process.argv.slice(2);
const specs = given.length > 0 ? given : SPECS;
const tests = [join(import.meta.dirname, 'run-tests.mjs'), '--project', 'servers', ...specs];
const folder = mkdtempSync(join(tmpdir(), 'tidemark-redis-servers-'));
let isInterrupted = false;
// Ctrl-C reaches the tests by themselves; this process only waits for them, and cleans up.
process.on('SIGINT', () => (isInterrupted = true));
try {
  unpackDebianPackages(SERVERS, RELEASE, folder);
  for (const server of SERVERS) {
    const program = startable(server, folder);
    const { stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
    console.log(stdout.trim());
    const env = { ...process.env, REDIS_SERVER: program };
    const [status] = await once(spawn(process.execPath, tests, { stdio: 'inherit', env }), 'exit');
    if (status !== 0) process.exitCode = 1;
    if (isInterrupted) break;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
