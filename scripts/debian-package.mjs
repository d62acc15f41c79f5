/** Programs of the system, and Debian packages that bring them. */
import { spawnSync } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';

const POLICY = '/usr/sbin/policy-rc.d';

export function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

export function onPath(names) {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isProgram);
}

/** Keeps the package from starting its service now; `undo` lets others start again. */
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

/** Installs a package whose service is called like it; does nothing but on Debian, as root. */
export function installDebianPackage(name, why) {
  if (process.getuid?.() !== 0 || !onPath(['apt-get'])) return;
  console.error(`${why}: installing the Debian package ${name} (not started as a service).`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const run = (program, ...args) =>
    spawnSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'], env }).status === 0;
  const installed = withoutServiceStart(
    () =>
      run('apt-get', '-qq', 'update') &&
      run('apt-get', '-qq', 'install', '-y', '--no-install-recommends', name),
  );
  // The package enables the service for the next boot; the tests have no use for it.
  if (installed && onPath(['systemctl'])) {
    spawnSync('systemctl', ['disable', name], { stdio: 'ignore' });
  }
}
