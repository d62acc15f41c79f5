/** Another commit of this repository, built in a temporary worktree. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UsageError } from '../options.js';
import { compileApplications, ROOT } from './compile.js';
import { isLeftover } from './leftovers.js';

const PREFIX = 'tidemark-against-';

export interface OtherCommit {
  readonly commit: string;
  /** Its worktree: its own build, and the applications of this commit's bench. */
  readonly folder: string;
}

/** @throws UsageError when there is no such commit. */
export function commitOf(ref: string): string {
  try {
    return git('rev-parse', '--verify', '--short', '--end-of-options', `${ref}^{commit}`).trim();
  } catch (error) {
    throw new UsageError(`--against names ${JSON.stringify(ref)}, which is no commit here.`, {
      cause: error,
    });
  }
}

export async function checkOut(commit: string): Promise<OtherCommit> {
  worktrees()
    .filter((one) => isLeftover(one, PREFIX))
    .forEach(removeWorktree);
  const folder = join(tmpdir(), PREFIX + String(process.pid));
  git('worktree', 'add', '--detach', folder, commit);
  try {
    await installPackages(folder);
    run('npm', ['run', '--silent', 'build'], folder);
    await compileApplications(folder);
  } catch (error) {
    removeWorktree(folder);
    throw error;
  }
  return { commit, folder };
}

export function removeWorktree(folder: string): void {
  git('worktree', 'remove', '--force', folder);
}

function worktrees(): string[] {
  const lines = git('worktree', 'list', '--porcelain').split('\n');
  return lines.flatMap((line) => /^worktree (.+)$/.exec(line)?.[1] ?? []);
}

/** The packages of this commit serve, unless the other one asks for different ones. */
async function installPackages(folder: string): Promise<void> {
  const lock = (root: string): string => readFileSync(join(root, 'package-lock.json'), 'utf8');
  if (lock(folder) === lock(ROOT)) {
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  } else {
    run('npm', ['ci', '--no-audit', '--no-fund'], folder);
  }
}

function git(...args: string[]): string {
  return execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', stdio: 'pipe' });
}

/** Prints the program's output beside the report. */
function run(program: string, args: readonly string[], cwd: string): void {
  execFileSync(program, args, { cwd, stdio: ['ignore', 2, 2] });
}
