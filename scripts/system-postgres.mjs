/**
 * Finds the PostgreSQL of the system, on which some tests run besides the embedded one, and installs it
 * where there is none.
 *
 * In order: the folder SYSTEM_POSTGRES_BIN names; the newest version of Debian's layout; the folder
 * of `pg_ctl` on the path; the Debian package, as root.
 */
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { installDebianPackage, isProgram, onPath } from './debian-package.mjs';

const DEBIAN_VERSIONS = '/usr/lib/postgresql';

function hasServer(folder) {
  return ['postgres', 'initdb'].every((name) => isProgram(join(folder, name)));
}

function debianFolder() {
  let versions = [];
  try {
    versions = readdirSync(DEBIAN_VERSIONS);
  } catch {
    return undefined;
  }
  return versions
    .toSorted((a, b) => Number(b) - Number(a))
    .map((version) => join(DEBIAN_VERSIONS, version, 'bin'))
    .find(hasServer);
}

function folderOnPath() {
  const program = onPath(['pg_ctl']);
  return program && hasServer(dirname(program)) ? dirname(program) : undefined;
}

/** The folder of `postgres` and `initdb`; `undefined` where the system has none. */
export function systemPostgres() {
  const named = process.env.SYSTEM_POSTGRES_BIN;
  if (named) {
    if (hasServer(named)) return named;
    throw new Error(
      `SYSTEM_POSTGRES_BIN names ${named}, which lacks postgres or initdb: correct or unset it.`,
    );
  }
  const found = debianFolder() ?? folderOnPath();
  if (found) return found;
  installDebianPackage('postgresql', 'No PostgreSQL of the system found');
  return debianFolder();
}
