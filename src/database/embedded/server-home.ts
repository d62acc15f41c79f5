/** Where the files of the server lie: in the data folder, or where its user can reach them. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerAccount } from './server-account.js';

/** For root, whose own folders other users cannot enter. */
export const SYSTEM_FOLDER = '/var/lib/tidemark';

/** Makes the data folder of a project, open to no one more than needed. */
export function makeDataFolder(folder: string): void {
  const isRoot = process.getuid?.() === 0;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // The server's user passes through, but cannot list.
  if (isRoot && statSync(folder).uid === 0) chmodSync(folder, 0o711);
}

/** The folder that holds the server's data directory. */
export function serverHome(folder: string, account: ServerAccount | undefined): string {
  const elsewhere = systemHome(folder);
  if (!account || existsSync(join(folder, 'postgres'))) return folder;
  if (!existsSync(join(elsewhere, 'postgres')) && canEnter(folder, account)) return folder;
  return makeOpenFolder(elsewhere);
}

/** Where the data of a folder lies whose path the server's user cannot enter. */
export function systemHome(folder: string): string {
  const name = createHash('sha256').update(folder).digest('hex').slice(0, 12);
  return join(SYSTEM_FOLDER, name);
}

/** Makes a folder that every user can enter, whatever the umask. */
export function makeOpenFolder(path: string): string {
  mkdirSync(path, { recursive: true });
  for (const made of [SYSTEM_FOLDER, path]) chmodSync(made, 0o755);
  return path;
}

function canEnter(folder: string, account: ServerAccount): boolean {
  const { status } = spawnSync('/bin/sh', ['-c', 'cd -- "$1"', 'sh', folder], {
    ...account,
    cwd: '/',
    stdio: 'ignore',
  });
  return status === 0;
}
