/** Programs of the system, and Debian packages that bring them. */
import { spawnSync } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
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

const ARCHIVE = 'http://deb.debian.org/debian';
const KEYS = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * Unpacks packages of another release of Debian, and all that they need, into a folder. The machine's own packages stay
 * as they are. Throws where that is not possible.
 */
export function unpackDebianPackages(names, release, folder) {
  const apt = join(folder, 'apt');
  const archives = join(apt, 'archives');
  for (const needed of [
    'etc/apt.conf.d',
    'etc/preferences.d',
    'lists/partial',
    'archives/partial',
  ]) {
    mkdirSync(join(apt, needed), { recursive: true });
  }
  const config = join(apt, 'apt.conf');
  const settings = {
    'Dir::Etc': join(apt, 'etc'),
    'Dir::State::Lists': join(apt, 'lists'),
    // No package counts as installed: the C library comes too.
    'Dir::State::status': join(apt, 'status'),
    'Dir::Cache': apt,
    // The folder belongs to this user alone.
    'APT::Sandbox::User': 'root',
    'Acquire::Languages': 'none',
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} "${value}";\n`);
  writeFileSync(config, lines.join(''));
  writeFileSync(join(apt, 'status'), '');
  writeFileSync(
    join(apt, 'etc/sources.list'),
    `deb [signed-by=${KEYS}] ${ARCHIVE} ${release} main\n`,
  );
  const env = { ...process.env, APT_CONFIG: config };
  const run = (program, ...args) => {
    const { status } = spawnSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'], env });
    if (status !== 0)
      throw new Error(`${program} failed: this needs apt and dpkg, and ${ARCHIVE}.`);
  };
  run('apt-get', '-qq', 'update');
  const toArchives = ['--download-only', '--no-install-recommends', '-y'];
  run('apt-get', '-qq', 'install', ...toArchives, ...names);
  for (const file of readdirSync(archives).filter((name) => name.endsWith('.deb'))) {
    run('dpkg-deb', '--extract', join(archives, file), folder);
  }
  rmSync(apt, { recursive: true });
}
